import { createHash } from "node:crypto";
import type { Random } from "../random.ts";

/** Bytes that never repeat within a test and are the same in every run of it. */
export function createSeededRandom(seed: string): Random {
  let calls = 0;
  return (sizeBytes) => {
    calls += 1;
    return createHash("shake256", { outputLength: sizeBytes }).update(`${seed} ${calls}`).digest();
  };
}
