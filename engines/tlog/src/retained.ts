import type { Checkpoint } from "./checkpoint.ts";
import { hashEmpty, isSame, type Hash } from "./hash.ts";
import { LogError } from "./log-error.ts";
import { verifyConsistency } from "./verify-proof.ts";

/** A checkpoint that was kept, the one that a log shows today, and its proof that nothing was taken back. */
export interface ExtensionClaim {
  retained: Checkpoint;
  current: Checkpoint;
  proof: readonly Hash[];
}

/** Throws unless the log of `current` begins with all of `retained`: what a witness asks before it signs. */
export function checkExtension({ retained, current, proof }: ExtensionClaim): void {
  checkSizes(retained, current);
  if (retained.size === 0 && isSame(retained.root, hashEmpty())) return;
  const [size1, size2] = [retained.size, current.size];
  if (verifyConsistency({ size1, size2, root1: retained.root, root2: current.root, proof })) return;
  const message = `the log of ${size2} entries was not shown to go on from the one of ${size1} that was kept`;
  throw new LogError("forked", message);
}

/** Throws when the logs are different ones, or when entries went missing at the end. */
export function checkSizes(retained: Checkpoint, current: Checkpoint): void {
  if (retained.origin !== current.origin) {
    throw new LogError("forked", `${current.origin} is another log than ${retained.origin}, which was kept`);
  }
  if (current.size < retained.size) {
    const message = `the log has ${current.size} entries, and once had ${retained.size}`;
    throw new LogError("truncated", message);
  }
}
