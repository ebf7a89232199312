/** From which latency on a request is slow, by metric: a multiple of a quantile of the stable release's. */
export const SLOWNESS = {
  latency: { quantile: 0.95, factor: 1.5 },
  "typical-latency": { quantile: 0.5, factor: 1.5 },
} as const;
export type LatencyMetric = keyof typeof SLOWNESS;

/** What counts as a slow request: slower than the stable release usually is, learnt from earlier seconds. */
export interface SlownessBound {
  /** Counts of the stable release by bucket since the last call; one more bucket than bounds. */
  observe(histogramDelta: readonly number[], atMs: number): void;
  /** Requests in buckets above this index are slow; null until enough requests were seen. */
  bound(): number | null;
}

export interface SlownessOptions {
  /** Upper bounds of the buckets, rising. */
  boundsMs: readonly number[];
  /** After this time a request weighs half. Default 60 s. */
  halfLifeMs?: number;
  /**
   * Requests needed for a first bound, and never forgotten
   * below: little traffic keeps a longer memory. Default 200.
   */
  minimum?: number;
  /** Of the stable release's latencies. */
  quantile: number;
  /** The bound is so many times the quantile, rounded to the nearest bucket. */
  factor: number;
}

export function createSlownessBound(options: SlownessOptions): SlownessBound {
  const { boundsMs, halfLifeMs = 60_000, minimum = 200, quantile, factor: times } = options;
  checkBounds(boundsMs);
  if (!(quantile > 0 && quantile < 1)) throw new Error(`quantile must lie between 0 and 1, got ${quantile}`);
  if (!(times >= 1)) throw new Error(`factor must be at least 1, got ${times}`);
  const weights = Array<number>(boundsMs.length + 1).fill(0);
  let weight = 0;
  let lastMs: number | null = null;
  let hasEnough = false;

  function fade(atMs: number): void {
    const elapsedMs = Math.max(0, atMs - (lastMs ?? atMs));
    lastMs = atMs;
    if (weight <= minimum) return;
    const factor = Math.max(0.5 ** (elapsedMs / halfLifeMs), minimum / weight);
    weights.forEach((each, bucket) => (weights[bucket] = each * factor));
    weight *= factor;
  }

  return {
    observe(histogramDelta, atMs) {
      checkHistogram(histogramDelta, weights.length);
      fade(atMs);
      histogramDelta.forEach((count, bucket) => (weights[bucket] = (weights[bucket] ?? 0) + count));
      weight = weights.reduce((sum, each) => sum + each, 0);
      hasEnough ||= weight >= minimum;
    },
    bound: () =>
      hasEnough ? nearestBucket(boundsMs, times * latencyAt(boundsMs, weights, quantile * weight)) : null,
  };
}

/** The latency below which that much weight lies, as if a bucket's requests were spread evenly over it. */
function latencyAt(boundsMs: readonly number[], weights: readonly number[], wanted: number): number {
  let below = 0;
  for (const [bucket, upperMs] of boundsMs.entries()) {
    const inside = weights[bucket] ?? 0;
    const lowerMs = boundsMs[bucket - 1] ?? 0;
    if (below + inside >= wanted) return lowerMs + ((upperMs - lowerMs) * (wanted - below)) / inside;
    below += inside;
  }
  return Infinity;
}

/** The bucket whose upper bound is nearest, as a ratio; the last one for what lies above them all. */
function nearestBucket(boundsMs: readonly number[], wantedMs: number): number {
  const above = boundsMs.findIndex((bound) => bound >= wantedMs);
  if (above < 0) return boundsMs.length - 1;
  const [lowerMs = 0, upperMs = 0] = [boundsMs[above - 1], boundsMs[above]];
  return wantedMs ** 2 < lowerMs * upperMs ? above - 1 : above;
}

function checkBounds(boundsMs: readonly number[]): void {
  if (boundsMs.length === 0) throw new Error("boundsMs must name at least one bucket bound");
  const isRising = boundsMs.every((bound, index) => index === 0 || bound > (boundsMs[index - 1] ?? bound));
  if (!isRising) throw new Error(`boundsMs must rise, got ${boundsMs.join(", ")}`);
}

function checkHistogram(histogram: readonly number[], buckets: number): void {
  if (histogram.length !== buckets)
    throw new Error(`a histogram must have ${buckets} buckets, got ${histogram.length}`);
  const wrong = histogram.find((count) => !(count >= 0 && Number.isFinite(count)));
  if (wrong !== undefined) throw new Error(`a histogram counts from 0 upwards, got ${wrong}`);
}
