import { clusteringOfArms, temper, type Clustering } from "./clustering.ts";
import { smallestDetectableRatio } from "./detectable-ratio.ts";
import type { MetricEvidence, Verdict } from "./evidence.ts";
import { createHarmProcess, LOG_FIRST_PRIOR, type HarmBet } from "./harm-process.ts";
import { expCapped, logSumExp } from "./logarithms.ts";
import { createOddsProcess, createShareProcess, type NoHarmProcess } from "./no-harm-process.ts";
import { explain } from "./reason.ts";
import { contrast, counts, type Mark, type Stratum, type Window } from "./record.ts";
import type { MetricRules, ResolvedRules } from "./rules.ts";
import type { Sample } from "./sample.ts";
import { createStrata } from "./strata.ts";

/** What one metric says; `logUrgency` is ln of the part of the threshold for harm that has been reached. */
export interface Finding {
  evidence: MetricEvidence;
  logUrgency: number;
}

export interface MetricJudge {
  startStage(atMs: number): void;
  add(sample: Sample): void;
  find(): Finding;
}

export function createMetricJudge(rules: ResolvedRules): MetricJudge {
  const strata = createStrata();
  const harm = createHarmProcess(rules);
  let stage = strata.end();
  let noHarm: NoHarmProcess[] = [];
  let finding: Finding | null = null;

  function learn(stratum: Stratum): void {
    harm.add(stratum);
    for (const process of noHarm) process.add(stratum);
    finding = null;
  }

  return {
    startStage(atMs) {
      strata.cut(atMs).forEach(learn);
      harm.startStage();
      stage = { ...strata.end(), atMs };
      noHarm = createNoHarmProcesses(rules, stage);
      finding = null;
    },
    add(sample) {
      strata.add(sample).forEach(learn);
    },
    find: () => (finding ??= judge(rules, { stage, now: strata.end(), bets: harm.bets(), noHarm })),
  };
}

function createNoHarmProcesses(rules: ResolvedRules, from: Mark): NoHarmProcess[] {
  const { noHarmOdds, noHarmShare, noHarmThreshold: threshold } = rules;
  return [
    createOddsProcess({ bound: noHarmOdds, threshold, from }),
    createShareProcess({ bound: noHarmShare, threshold, from }),
  ];
}

interface Standing {
  stage: Mark;
  now: Mark;
  bets: readonly HarmBet[];
  noHarm: readonly NoHarmProcess[];
}

function judge(rules: ResolvedRules, { stage, now, bets, noHarm }: Standing): Finding {
  const weigh = createScale(rules, now);
  const weighed = bets.map(({ from, logPrior, logRatio }) => {
    const scaled = weigh(from);
    return { ...scaled, logEValue: logPrior + temper(logRatio, scaled.clustering) };
  });
  const grave = weighed.filter((bet) => bet.isBigEnough);
  const whole = weigh(stage);
  const logGrave = logSum(grave);
  const logNoHarm = Math.max(...noHarm.map((process) => process.logEValue()));
  const { window, odds, clustering } = logGrave >= logSuspicion(rules) ? strongest(grave) : whole;
  const facts = {
    metric: rules.metric,
    verdict: decide(rules, logGrave, logNoHarm),
    eValue: expCapped(logSum(weighed)),
    threshold: rules.threshold,
    designEffect: clustering.designEffect,
    fromMs: window.from.atMs,
    ratio: Number.isFinite(odds) ? odds : null,
    candidate: counts(window, "candidate"),
    stable: counts(window, "stable"),
    noHarmEValue: expCapped(logNoHarm),
    noHarmThreshold: rules.noHarmThreshold,
    smallestDetectableRatio: detectable(rules, whole),
  };
  const logUrgency = logSum(weighed) - Math.log(rules.threshold);
  return { logUrgency, evidence: { ...facts, reason: explain(facts) } };
}

interface ScaledWindow {
  window: Window;
  clustering: Clustering;
  odds: number;
  /** Statistically clear is not enough: the difference must be big enough to matter. */
  isBigEnough: boolean;
}

interface WeighedBet extends ScaledWindow {
  logEValue: number;
}

/** Windows that end now, measured; bets often share their start. */
function createScale(
  { harmOdds, harmExcess, harmShare }: MetricRules,
  to: Mark,
): (from: Mark) => ScaledWindow {
  const known = new Map<Mark, ScaledWindow>();
  return (from) => {
    const seen = known.get(from);
    if (seen) return seen;
    const window = { from, to };
    const { odds, excess } = contrast(window);
    const { bad, total } = counts(window, "candidate");
    const isBigEnough = odds >= harmOdds && excess >= harmExcess && bad >= harmShare * total;
    const scaled = { window, clustering: clusteringOfArms(window), odds, isBigEnough };
    known.set(from, scaled);
    return scaled;
  };
}

/** Half-way to harm, on the logarithmic scale, nobody vouches for the candidate any more. */
function logSuspicion(rules: ResolvedRules): number {
  return Math.log(rules.threshold) / 2;
}

function decide(rules: ResolvedRules, logGrave: number, logNoHarm: number): Verdict {
  if (logGrave >= Math.log(rules.threshold)) return "harm";
  if (logGrave >= logSuspicion(rules)) return "insufficient";
  return logNoHarm >= Math.log(rules.noHarmThreshold) ? "no-harm" : "insufficient";
}

function logSum(bets: readonly WeighedBet[]): number {
  return logSumExp(bets.map((bet) => bet.logEValue));
}

function strongest(bets: readonly WeighedBet[]): WeighedBet {
  return bets.reduce((best, bet) => (bet.logEValue > best.logEValue ? bet : best));
}

function detectable(rules: ResolvedRules, { window, clustering }: ScaledWindow): number | null {
  const stable = counts(window, "stable");
  return smallestDetectableRatio({
    candidateTotal: counts(window, "candidate").total,
    stableTotal: stable.total,
    stableBad: stable.bad,
    designEffect: clustering.designEffect,
    logThreshold: Math.log(rules.threshold) - LOG_FIRST_PRIOR,
  });
}
