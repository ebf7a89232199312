import { createHmac, timingSafeEqual } from "node:crypto";
import { encodeBase32 } from "./base32.ts";

export const TOTP_SECRET_BYTES = 20;
const DIGITS = 6;
const STEP_SECONDS = 30;
/** One step back and one ahead make up for clocks that differ: RFC 6238 §5.2. */
const STEPS_AROUND = [0, -1, 1] as const;

export interface HotpOptions {
  digits?: number;
  algorithm?: "sha1" | "sha256" | "sha512";
}

/** The code of one counter: RFC 4226 §5.3. */
export function hotp(secret: Uint8Array, counter: number, options: HotpOptions = {}): string {
  const { digits = DIGITS, algorithm = "sha1" } = options;
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const digest = createHmac(algorithm, secret).update(message).digest();
  const offset = (digest.at(-1) ?? 0) & 0x0f;
  const number = digest.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/** The time step that a moment lies in: RFC 6238 §4.2. */
export function stepAt(nowMs: number): number {
  return Math.floor(nowMs / 1000 / STEP_SECONDS);
}

export interface TotpCheck {
  code: string;
  nowMs: number;
  /** The step of the last code that was accepted. */
  lastStep: number | null;
}

/**
 * The step of a right code; null for a wrong one, and for one that was used already or is older than the one
 * used last: RFC 6238 §5.2 lets each be accepted once.
 */
export function verifyTotp(secret: Uint8Array, { code, nowMs, lastStep }: TotpCheck): number | null {
  const present = stepAt(nowMs);
  const given = Buffer.from(code.replaceAll(/[\s-]/g, ""));
  const fitting = STEPS_AROUND.map((around) => present + around).filter((step) => {
    const right = Buffer.from(hotp(secret, step));
    return given.length === right.length && timingSafeEqual(given, right);
  });
  const fresh = fitting.find((step) => lastStep === null || step > lastStep);
  return fresh ?? null;
}

/** What authenticator apps read from a QR code (the key URI format). */
export function otpauthUri(secret: Uint8Array, { issuer, account }: { issuer: string; account: string }): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const facts = new URLSearchParams({
    secret: encodeBase32(secret),
    issuer,
    algorithm: "SHA1",
    digits: String(DIGITS),
    period: String(STEP_SECONDS),
  });
  return `otpauth://totp/${label}?${facts.toString().replaceAll("+", "%20")}`;
}
