import { changes, resets } from "./ranges/changes.ts";
import { idelta, irate } from "./ranges/instant-rate.ts";
import { OVER_TIME } from "./ranges/over-time.ts";
import { delta, increase, rate } from "./ranges/rate.ts";
import { TRENDS } from "./ranges/trends.ts";
import type { RangeFunction } from "./window.ts";

/** The functions that take a range vector. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map([
  ...OVER_TIME,
  ...TRENDS,
  ["rate", rate],
  ["increase", increase],
  ["delta", delta],
  ["irate", irate],
  ["idelta", idelta],
  ["changes", changes],
  ["resets", resets],
]);
