import { createHash } from "node:crypto";
import type { Random } from "../../../kernel/ids.ts";
import { encodeBase32 } from "./base32.ts";

export const RECOVERY_CODES = 10;
/** 80 bits: out of reach for guessing, so a plain hash protects them. */
const CODE_BYTES = 10;

/** Ten new codes of the form ABCD-EFGH-IJKL-MNOP. */
export function makeRecoveryCodes(random: Random): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const groups = encodeBase32(random(CODE_BYTES)).match(/.{4}/g) ?? [];
    return groups.join("-");
  });
}

/** What is stored of a code; case, spaces and dashes do not matter. */
export function hashRecoveryCode(code: string): Buffer {
  const letters = code.toUpperCase().replaceAll(/[^A-Z2-7]/g, "");
  return createHash("sha256").update(`recovery:${letters}`).digest();
}

/** Whether a text is meant as a recovery code rather than as the six digits of an app. */
export function looksLikeRecoveryCode(text: string): boolean {
  return text.replaceAll(/[\s-]/g, "").length === 16;
}
