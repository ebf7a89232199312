import { AppError, type PlatformConfig } from "@mainstay/api";
import { verifySignature, type Verdict } from "./domain/minisign.ts";
import type { ReleaseRow } from "./store.ts";

export type Signed = Pick<ReleaseRow, "digest" | "signature">;

/** Who vouches for releases: the digest, as `mainstay digest` prints it, signed with minisign. */
export function createSignatures({ keys, required: isRequired }: PlatformConfig["signatures"]) {
  function check({ digest, signature }: Signed): Verdict {
    if (signature === null) return { isGood: false, reason: "it has no signature" };
    return verifySignature(signature, [`${digest}\n`, digest], keys);
  }

  return {
    check,
    isRequired,
    /** Whether anybody wants to know. */
    isAsked: isRequired || keys.length > 0,
    /** Throws SIGNATURE_INVALID when there is a signature and it does not stand for the files. */
    mustStand(signed: Signed): void {
      if (signed.signature === null) return;
      const verdict = check(signed);
      if (!verdict.isGood) throw new AppError("SIGNATURE_INVALID", { reason: verdict.reason });
    },
  };
}
export type Signatures = ReturnType<typeof createSignatures>;
