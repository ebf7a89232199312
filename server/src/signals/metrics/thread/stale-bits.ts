import { setStaleAt } from "@mainstay/metrics/model";
import type { Bits } from "./intake.ts";

/** A staleness marker, as samples are handed on. */
export function staleBits(): Bits {
  const values = new Float64Array(1);
  setStaleAt(values, 0);
  return { words: new Uint32Array(values.buffer), index: 0 };
}
