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
  /** Of the stable release's latencies. Default 0.95. */
  quantile?: number;
  /** The bound is so many times the quantile, rounded up to a bucket. Default 1. */
  factor?: number;
}

export function createSlownessBound(options: SlownessOptions): SlownessBound {
  const { boundsMs, halfLifeMs = 60_000, minimum = 200, quantile = 0.95, factor: times = 1 } = options;
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
    bound: () => (hasEnough ? scaled(quantileBucket(weights, quantile * weight)) : null),
  };

  function scaled(bucket: number): number {
    const wantedMs = times * (boundsMs[bucket] ?? Infinity);
    const index = boundsMs.findIndex((bound) => bound >= wantedMs);
    return index < 0 ? boundsMs.length - 1 : index;
  }
}

/** The first bucket by whose end that much weight has come; above the last bound there is none to name. */
function quantileBucket(weights: readonly number[], wanted: number): number {
  let below = 0;
  const index = weights.findIndex((each) => (below += each) >= wanted);
  return Math.min(index < 0 ? weights.length : index, weights.length - 2);
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
