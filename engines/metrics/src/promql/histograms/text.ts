import type { Histogram } from "../../histogram.ts";
import { formatNumber } from "../numbers.ts";
import { bucketsOf, isCustom } from "./bounds.ts";

/** A histogram in one line, as count_values names it. */
export function formatHistogram(histogram: Histogram): string {
  const { count, sum, zeroThreshold } = histogram;
  const buckets = bucketsOf(histogram)
    .filter((bucket) => bucket.count !== 0)
    .map((bucket) => {
      const isZero =
        !isCustom(histogram) && bucket.lower === -zeroThreshold && bucket.upper === zeroThreshold;
      const isNegative = bucket.upper < 0 || (bucket.upper === 0 && bucket.lower < 0 && !isCustom(histogram));
      const open = isZero || isNegative ? "[" : "(";
      const close = isNegative && !isZero ? ")" : "]";
      const [lower, upper] = [formatNumber(bucket.lower), formatNumber(bucket.upper)];
      return `, ${open}${lower},${upper}${close}:${formatNumber(bucket.count)}`;
    });
  return `{count:${formatNumber(count)}, sum:${formatNumber(sum)}${buckets.join("")}}`;
}
