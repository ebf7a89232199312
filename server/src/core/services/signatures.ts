import { AppError, type PlatformConfig } from "@mainstay/api";
import { verifySignature, type Verdict } from "./domain/minisign.ts";
import type { ReleaseRow } from "./store.ts";

export type Signed = Pick<ReleaseRow, "digest" | "source_digest" | "signature">;

/**
 * Who vouches for releases: the digest, as `mainstay digest` prints it, signed with minisign. Of a
 * release that was built here it is the digest of its source: what came of that nobody else could sign.
 */
export function createSignatures({ keys, required: isRequired }: PlatformConfig["signatures"]) {
  function check({ digest, source_digest: source, signature }: Signed): Verdict {
    if (signature === null) return { isGood: false, reason: "it has no signature" };
    const signed = source === null ? [digest] : [digest, source];
    return verifySignature(
      signature,
      signed.flatMap((each) => [`${each}\n`, each]),
      keys,
    );
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
