import type { TypedSample } from "./family-rules.ts";
import { parseValue } from "./number.ts";

/** What has been seen of one histogram at one time. */
interface Seen {
  lastBound: number;
  lastCount: number;
  count: number | null;
  sum: number | null;
  hasNegativeBound: boolean;
}

/**
 * Whether the parts of one histogram at one time fit together: buckets in rising order, cumulative, up to
 * +Inf, which says the same as the count. (OpenMetrics 1.0, "Histogram" and "GaugeHistogram".)
 */
export function createHistogramCheck(type: string) {
  const seen: Seen = { lastBound: -Infinity, lastCount: 0, count: null, sum: null, hasNegativeBound: false };
  let isEmpty = true;

  function addBucket(bound: number, count: number): string | null {
    if (!isEmpty && bound <= seen.lastBound) return "the buckets are not in the order of their bounds";
    if (count < seen.lastCount) return "a bucket holds less than the one before it";
    isEmpty = false;
    seen.lastBound = bound;
    seen.lastCount = count;
    if (bound < 0) seen.hasNegativeBound = true;
    return null;
  }

  return {
    /** Answers what is wrong, or null. */
    add({ suffix, name, value }: TypedSample): string | null {
      if (suffix === "_bucket") {
        const le = name.labels.find(([label]) => label === "le")?.[1] ?? "";
        return addBucket(parseValue(le) ?? NaN, value);
      }
      if (suffix === "_count" || suffix === "_gcount") seen.count = value;
      if (suffix === "_sum" || suffix === "_gsum") seen.sum = value;
      return null;
    },
    end(): string | null {
      const { lastBound, lastCount, count, sum, hasNegativeBound } = seen;
      if (lastBound !== Infinity) return `a ${type} has no bucket of le="+Inf"`;
      if (count !== null && count !== lastCount)
        return `the count of a ${type} is not that of its last bucket`;
      if (sum !== null && count === null) return `a ${type} has a sum and no count`;
      if (count !== null && sum === null) return `a ${type} has a count and no sum`;
      if (type === "histogram" && sum !== null && hasNegativeBound) {
        return "a histogram with negative bounds has a sum";
      }
      if (sum !== null && sum < 0 && !hasNegativeBound) {
        return `the sum of a ${type} without negative bounds is negative`;
      }
      return null;
    },
  };
}
export type HistogramCheck = ReturnType<typeof createHistogramCheck>;
