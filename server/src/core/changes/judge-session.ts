import {
  COMPARISONS,
  createJudge,
  type Evidence,
  type HistoryEntry,
  type MetricEvidence,
} from "@mainstay/evidence";
import { createCeiling } from "./ceiling.ts";
import type { Block, ChangeView, JudgeSettings, Limits, Metric, Signal } from "./ports.ts";

/** The judge's evidence, and which absolute ceiling was broken, if one was. */
export interface JudgedEvidence extends Evidence {
  limit?: string;
}

/**
 * The metric name of the absolute ceiling on latency stands apart from "latency", which compares the arms.
 */
const LATENCY_CEILING = "latency-ceiling";
/** Apart from the users' requests: their counts never hold a probe. */
const PROBES = "probes";
/**
 * Counts come in stretches of many seconds, each of which may be one accident; docs/evidence.md has figures.
 */
const RULES_OF_GATES = { alphaWeight: 1, harmGain: 4 };
/** A p95 above the ceiling means: more than this share of the requests is slower than it. */
const P95_SHARE = 0.05;

export interface JudgedChange {
  judge: JudgeSettings | null;
  limits: Limits;
}

export interface JudgeSession {
  /** To be called whenever a stage starts, also when it starts anew. */
  startStage(atMs: number): HistoryEntry;
  /** Fetches what happened since the last call; null when nothing new is to be judged. */
  tick(change: ChangeView): Promise<JudgedTick | null>;
}

export interface JudgedTick {
  history: HistoryEntry[];
  evidence: JudgedEvidence;
  firstCandidateAtMs: number | null;
}

/** The judge of one change under way, fed from its signal; `history` is what it saw before a restart. */
export function createJudgeSession(input: {
  judged: JudgedChange;
  signal: Signal;
  history: HistoryEntry[];
  sinceMs: number;
}): JudgeSession {
  const { judged, signal, history } = input;
  const bench = createBench(judged);
  for (const entry of history) bench.show(entry);
  const metrics = metricsOf(judged).map((metric) => ({ metric, sinceMs: input.sinceMs }));
  let firstCandidateAtMs = firstCandidateIn(history);

  return {
    startStage(atMs) {
      const entry: HistoryEntry = { kind: "stage", atMs };
      bench.show(entry);
      return entry;
    },
    async tick(change) {
      const fresh: HistoryEntry[] = [];
      for (const each of metrics) {
        const blocks = await signal.counts({ change, metric: each.metric, sinceMs: each.sinceMs });
        each.sinceMs = blocks.at(-1)?.atMs ?? each.sinceMs;
        fresh.push(...blocks.filter(hasRequests).map((block) => toEntry(nameOf(each.metric), block)));
      }
      if (fresh.length === 0) return null;
      for (const entry of fresh) bench.show(entry);
      firstCandidateAtMs ??= firstCandidateIn(fresh);
      return { history: fresh, evidence: bench.evaluate(), firstCandidateAtMs };
    },
  };
}

/** The same evidence from the stored history alone; null when nothing was judged. */
export function replayEvidence(judged: JudgedChange, history: HistoryEntry[]): JudgedEvidence | null {
  if (!judged.judge || !history.some((entry) => entry.kind === "sample")) return null;
  const bench = createBench(judged);
  for (const entry of history) bench.show(entry);
  return bench.evaluate();
}

/** The comparing judge and the absolute ceilings side by side. */
function createBench({ judge, limits }: JudgedChange) {
  if (!judge) throw new Error("this change is not judged");
  const { alpha, counted = [] } = judge;
  const ofUsers: string[] = judge.metrics.flatMap((name) => COMPARISONS[name]);
  const ofGates = counted.map(({ gate }) => metricOfGate(gate));
  const metrics = [...ofUsers, ...(judge.probes ? [PROBES] : []), ...ofGates];
  const optional = new Set(counted.filter((each) => each.isOptional).map(({ gate }) => metricOfGate(gate)));
  const comparing = metrics.length === 0 ? null : createComparingJudge(judge, metrics, ofGates);
  const { errorRate, latencyP95Ms } = limits;
  const ceilings = [
    ...(errorRate === undefined
      ? []
      : [createCeiling({ metric: "errors", share: errorRate, words: "failed" })]),
    ...(latencyP95Ms === undefined
      ? []
      : [
          createCeiling({
            metric: LATENCY_CEILING,
            share: P95_SHARE,
            words: `took longer than ${latencyP95Ms} ms`,
          }),
        ]),
  ];
  return {
    show(entry: HistoryEntry): void {
      if (entry.kind === "stage") return comparing?.startStage(entry.atMs);
      for (const ceiling of ceilings) ceiling.add(entry);
      if (metrics.some((name) => name === entry.metric)) comparing?.add(entry);
    },
    evaluate(): JudgedEvidence {
      const evidence = settle(comparing?.evaluate() ?? nothingCompared(alpha), optional);
      const broken = ceilings.map((ceiling) => ceiling.broken()).find((each) => each !== null);
      return broken ? { ...evidence, verdict: "harm", limit: broken } : evidence;
    },
  };
}

function createComparingJudge({ alpha, warmupMs }: JudgeSettings, metrics: string[], ofGates: string[]) {
  const warmup = { latency: warmupMs, "typical-latency": warmupMs };
  const rules = Object.fromEntries(ofGates.map((metric) => [metric, RULES_OF_GATES]));
  return createJudge({ metrics, alpha, warmupMs: warmup, rules });
}

function settle(evidence: Evidence, optional: ReadonlySet<string>): Evidence {
  return settleByProbes(settleWithoutOptional(evidence, optional));
}

/** Nothing was counted where the judge is told to go on without. */
function settleWithoutOptional(evidence: Evidence, optional: ReadonlySet<string>): Evidence {
  if (evidence.verdict !== "insufficient") return evidence;
  const isCounted = ({ candidate, stable }: MetricEvidence) => candidate.total + stable.total > 0;
  const rest = evidence.perMetric.filter((each) => !optional.has(each.metric) || isCounted(each));
  const isWell = rest.length > 0 && rest.every((each) => each.verdict === "no-harm");
  return isWell ? { ...evidence, verdict: "no-harm" } : evidence;
}

/**
 * Where users ask too little, the probes speak for the candidate, unless any other metric has begun to look
 * worse: half-way to harm, on the logarithmic scale, nobody vouches for it any more.
 */
function settleByProbes(evidence: Evidence): Evidence {
  const probes = evidence.perMetric.find((each) => each.metric === PROBES);
  if (evidence.verdict !== "insufficient" || probes?.verdict !== "no-harm") return evidence;
  const isSuspicious = evidence.perMetric.some((each) => each.eValue >= Math.sqrt(each.threshold));
  return isSuspicious ? evidence : { ...evidence, verdict: "no-harm" };
}

/** What is known where only the absolute ceilings are watched. */
function nothingCompared(alpha: number): Evidence {
  const known = { eValue: 0, threshold: 1 / alpha, designEffect: 1, smallestDetectableRatio: null };
  return { verdict: "insufficient", ...known, perMetric: [] };
}

function metricsOf({ judge, limits }: JudgedChange): Metric[] {
  const metrics: Metric[] = (judge?.metrics ?? [])
    .flatMap((name) => COMPARISONS[name])
    .map((name) => ({ name }));
  for (const { gate } of judge?.counted ?? []) metrics.push({ name: "counts", gate });
  if (judge?.probes) metrics.push({ name: PROBES, probes: judge.probes });
  const isJudged = metrics.some((each) => each.name === "errors");
  if (limits.errorRate !== undefined && !isJudged) metrics.push({ name: "errors" });
  if (limits.latencyP95Ms !== undefined)
    metrics.push({ name: "slower-than", thresholdMs: limits.latencyP95Ms });
  return metrics;
}

function metricOfGate(gate: string): string {
  return `gate ${gate}`;
}

function nameOf(metric: Metric): string {
  if (metric.name === "counts") return metricOfGate(metric.gate);
  return metric.name === "slower-than" ? LATENCY_CEILING : metric.name;
}

function toEntry(metric: string, block: Block): HistoryEntry {
  return { kind: "sample", atMs: block.fromMs, metric, stable: block.stable, candidate: block.candidate };
}

function hasRequests(block: Block): boolean {
  return block.stable.total.some((count) => count > 0) || block.candidate.total.some((count) => count > 0);
}

function firstCandidateIn(history: HistoryEntry[]): number | null {
  const first = history.find(
    (entry) => entry.kind === "sample" && entry.candidate.total.some((count) => count > 0),
  );
  return first?.atMs ?? null;
}

/** One sentence that says why: the metrics that decided, with their numbers. */
export function reasonOf(evidence: JudgedEvidence): string {
  if (evidence.limit) return evidence.limit;
  const deciding = evidence.perMetric.filter((each) => each.verdict === evidence.verdict);
  const speaking = deciding.length > 0 ? deciding : evidence.perMetric;
  return speaking.map((each) => each.reason).join("; ");
}
