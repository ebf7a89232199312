/** Each bucket ends this much higher than the one before: a quantile is within 3 % of the true value. */
const BUCKET_RATIO = 1.02;
const SMALLEST_MS = 0.05;
const LARGEST_MS = 120_000;
const BUCKETS = bucketOf(LARGEST_MS) + 1;

export interface LatencyHistogram {
  record(latencyMs: number): void;
  /** The upper end of the bucket in which that share of the values lies below; null without values. */
  quantile(share: number): number | null;
  clear(): void;
}

/** Latencies in memory of a fixed size, however many there are. */
export function createLatencyHistogram(): LatencyHistogram {
  const counts = new Uint32Array(BUCKETS);
  let total = 0;
  return {
    record(latencyMs) {
      const bucket = Math.min(bucketOf(latencyMs), BUCKETS - 1);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      total += 1;
    },
    quantile(share) {
      if (total === 0) return null;
      let left = Math.max(1, Math.ceil(share * total));
      const bucket = counts.findIndex((count) => (left -= count) <= 0);
      return Number((SMALLEST_MS * BUCKET_RATIO ** bucket).toPrecision(3));
    },
    clear() {
      counts.fill(0);
      total = 0;
    },
  };
}

function bucketOf(latencyMs: number): number {
  if (latencyMs <= SMALLEST_MS) return 0;
  return Math.ceil(Math.log(latencyMs / SMALLEST_MS) / Math.log(BUCKET_RATIO));
}
