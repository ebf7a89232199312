import type { Evidence, Verdict } from "./evidence.ts";
import { createMetricJudge, type Finding } from "./metric-judge.ts";
import { resolveRules, type JudgeOptions, type ResolvedRules } from "./rules.ts";
import { checkSample, type Sample } from "./sample.ts";

/**
 * Decides whether a candidate is worse than the stable release beside it. Pure: time comes with the samples.
 */
export interface Judge {
  /** The weights change, or a server has come back and starts the stage again. */
  startStage(atMs: number): void;
  /** The seconds of a metric come in order; a second without requests may be left out. */
  add(sample: Sample): void;
  /** What is known now; asking changes nothing. */
  evaluate(): Evidence;
}

/** What a judge was told, in order. */
export type HistoryEntry = { kind: "stage"; atMs: number } | ({ kind: "sample" } & Sample);

export function createJudge(options: JudgeOptions): Judge {
  const metrics = new Map(
    resolveRules(options).map((rules) => [rules.metric, { rules, judge: createMetricJudge(rules) }]),
  );
  let hasStage = false;
  let candidateSinceMs: number | null = null;
  return {
    startStage(atMs) {
      hasStage = true;
      for (const { judge } of metrics.values()) judge.startStage(atMs);
    },
    add(sample) {
      const metric = metrics.get(sample.metric);
      if (!hasStage) throw new Error("startStage must be called before the first sample is added");
      if (!metric)
        throw new Error(
          `metric "${sample.metric}" is not judged; judged are ${[...metrics.keys()].join(", ")}`,
        );
      checkSample(sample);
      if (sample.candidate.total.some((count) => count > 0)) candidateSinceMs ??= sample.atMs;
      if (isWarmingUp(metric.rules, sample.atMs, candidateSinceMs)) return;
      metric.judge.add(sample);
    },
    evaluate: () => conclude([...metrics.values()].map(({ judge }) => judge.find())),
  };
}

/** A judge that has seen a history: the same, bit for bit, as the one that lived it. */
export function resumeJudge(options: JudgeOptions, history: Iterable<HistoryEntry>): Judge {
  const judge = createJudge(options);
  for (const entry of history) {
    if (entry.kind === "stage") judge.startStage(entry.atMs);
    else judge.add(entry);
  }
  return judge;
}

/** The evidence at the end of a history. */
export function replay(options: JudgeOptions, history: Iterable<HistoryEntry>): Evidence {
  return resumeJudge(options, history).evaluate();
}

function isWarmingUp({ warmupMs }: ResolvedRules, atMs: number, sinceMs: number | null): boolean {
  return warmupMs > 0 && (sinceMs === null || atMs < sinceMs + warmupMs);
}

function conclude(findings: Finding[]): Evidence {
  const perMetric = findings.map((finding) => finding.evidence);
  const { evidence: nearest } = findings.reduce((best, each) =>
    each.logUrgency > best.logUrgency ? each : best,
  );
  const ratios = perMetric.map((each) => each.smallestDetectableRatio);
  return {
    verdict: overall(perMetric.map((each) => each.verdict)),
    eValue: nearest.eValue,
    threshold: nearest.threshold,
    designEffect: nearest.designEffect,
    smallestDetectableRatio: ratios.reduce((worst, each) =>
      worst === null || each === null ? null : Math.max(worst, each),
    ),
    perMetric,
  };
}

function overall(verdicts: Verdict[]): Verdict {
  if (verdicts.includes("harm")) return "harm";
  return verdicts.every((verdict) => verdict === "no-harm") ? "no-harm" : "insufficient";
}
