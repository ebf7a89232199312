/** What makes a difference big enough to act on, for one metric. */
export interface MetricRules {
  /** Its part of α is this over the sum of all metrics'. */
  alphaWeight: number;
  /**
   * Harm is called only from this odds ratio on: smaller ones
   * are proven easily at high traffic, and matter little.
   */
  harmOdds: number;
  /** … and only when the candidate's share of bad requests is higher by this much … */
  harmExcess: number;
  /** … and at least this. */
  harmShare: number;
  /**
   * One stratum (a second, normally) multiplies the evidence of harm by this at
   * most. A process that stalls makes all its requests of that moment slow at
   * once, which is one accident and not a hundred; only what lasts convinces.
   */
  harmGain: number;
  /** No harm means: an odds ratio this large has been ruled out … */
  noHarmOdds: number;
  /** … or a candidate share this high has been. */
  noHarmShare: number;
}

export interface JudgeOptions {
  metrics: readonly string[];
  /**
   * Chance of ever calling harm on a healthy candidate, over all metrics and the whole change. Default 0.01.
   */
  alpha?: number;
  /**
   * Chance of calling no harm, per metric and stage, on a candidate beyond the no-harm margins. Default 0.05.
   */
  beta?: number;
  /**
   * A metric's samples are left out for this long after the
   * candidate's first request. Default: DEFAULT_WARMUP_MS.
   */
  warmupMs?: Readonly<Record<string, number>>;
  /**
   * Deviations from DEFAULT_RULES by metric; a metric named in neither place follows the rules of "errors".
   */
  rules?: Readonly<Record<string, Partial<MetricRules>>>;
}

const DEFAULT_ALPHA = 0.01;
const DEFAULT_BETA = 0.05;
/** By the ratio and by the share. */
const NO_HARM_PROOFS = 2;
/** Cold caches are not a regression. */
const DEFAULT_WARMUP_MS: Readonly<Record<string, number>> = {
  latency: 20_000,
  "typical-latency": 20_000,
};

const ERROR_RULES: MetricRules = {
  alphaWeight: 2,
  harmOdds: 1.3,
  harmExcess: 0.001,
  harmShare: 0,
  harmGain: 20,
  noHarmOdds: 2,
  noHarmShare: 0.01,
};
/** More than 5 % slower than a bound is the same as a p95 above that bound. */
const LATENCY_RULES: MetricRules = {
  alphaWeight: 1,
  harmOdds: 1.5,
  harmExcess: 0.01,
  harmShare: 0.05,
  harmGain: 2,
  noHarmOdds: 2,
  noHarmShare: 0.05,
};
/**
 * Around the middle of the distribution shares move easily: only a shift of most requests matters.
 * Less than half slower than a bound is the same as a median below that bound.
 */
const TYPICAL_LATENCY_RULES: MetricRules = {
  alphaWeight: 1,
  harmOdds: 4,
  harmExcess: 0.2,
  harmShare: 0,
  harmGain: 2,
  noHarmOdds: 4,
  noHarmShare: 0.5,
};
export const DEFAULT_RULES: Readonly<Record<string, MetricRules>> = {
  errors: ERROR_RULES,
  latency: LATENCY_RULES,
  "typical-latency": TYPICAL_LATENCY_RULES,
};

/** By what the arms are compared: the tail and the middle of the latencies show different regressions. */
export const COMPARISONS = {
  errors: ["errors"],
  latency: ["latency", "typical-latency"],
} as const;

/** One metric's rules with every number filled in. */
export interface ResolvedRules extends MetricRules {
  metric: string;
  /** The e-value that calls harm: Ville's inequality, α split over the metrics. */
  threshold: number;
  /** The e-value that calls no harm. */
  noHarmThreshold: number;
  warmupMs: number;
}

/** Options → the rules of each metric. Throws when a number makes no sense. */
export function resolveRules(options: JudgeOptions): ResolvedRules[] {
  const { metrics, alpha = DEFAULT_ALPHA, beta = DEFAULT_BETA } = options;
  if (metrics.length === 0) throw new Error("metrics must name at least one metric");
  if (new Set(metrics).size !== metrics.length)
    throw new Error(`metrics must not repeat: ${metrics.join(", ")}`);
  if (!(alpha > 0 && alpha < 1)) throw new Error(`alpha must lie between 0 and 1, got ${alpha}`);
  if (!(beta > 0 && beta < 1)) throw new Error(`beta must lie between 0 and 1, got ${beta}`);
  const all = metrics.map((metric) => ({
    metric,
    ...(DEFAULT_RULES[metric] ?? ERROR_RULES),
    ...options.rules?.[metric],
  }));
  const weights = all.reduce((sum, { alphaWeight }) => sum + alphaWeight, 0);
  return all.map((rules) => {
    const warmupMs = options.warmupMs?.[rules.metric] ?? DEFAULT_WARMUP_MS[rules.metric] ?? 0;
    checkRules(rules.metric, rules, warmupMs);
    return {
      ...rules,
      threshold: weights / (rules.alphaWeight * alpha),
      noHarmThreshold: NO_HARM_PROOFS / beta,
      warmupMs,
    };
  });
}

function checkRules(metric: string, rules: MetricRules, warmupMs: number): void {
  if (!(rules.alphaWeight > 0))
    throw new Error(`rules.${metric}.alphaWeight must be > 0, got ${rules.alphaWeight}`);
  if (!(rules.harmOdds >= 1)) throw new Error(`rules.${metric}.harmOdds must be ≥ 1, got ${rules.harmOdds}`);
  if (!(rules.harmExcess >= 0))
    throw new Error(`rules.${metric}.harmExcess must be ≥ 0, got ${rules.harmExcess}`);
  if (!(rules.harmShare >= 0 && rules.harmShare < 1))
    throw new Error(`rules.${metric}.harmShare must be ≥ 0 and < 1, got ${rules.harmShare}`);
  if (!(rules.harmGain > 1)) throw new Error(`rules.${metric}.harmGain must be > 1, got ${rules.harmGain}`);
  if (!(rules.noHarmOdds > 1))
    throw new Error(`rules.${metric}.noHarmOdds must be > 1, got ${rules.noHarmOdds}`);
  const share = rules.noHarmShare;
  if (!(share > 0 && share < 1)) {
    throw new Error(`rules.${metric}.noHarmShare must lie between 0 and 1, got ${share}`);
  }
  if (!(warmupMs >= 0)) throw new Error(`warmupMs.${metric} must be ≥ 0, got ${warmupMs}`);
}
