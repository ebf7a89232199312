import { smallestDetectableRatio } from "./detectable-ratio.ts";
import type { MetricEvidence, Verdict } from "./evidence.ts";
import { createHarmProcess, LOG_FIRST_PRIOR, type HarmBet } from "./harm-process.ts";
import { expCapped, logSumExp, temper } from "./logarithms.ts";
import { createOddsProcess, createShareProcess, type NoHarmProcess } from "./no-harm-process.ts";
import { explain } from "./reason.ts";
import { contrast, counts, designEffect, type Mark, type Stratum, type Window } from "./record.ts";
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
  const harm = createHarmProcess();
  let stage = strata.end();
  let noHarm: NoHarmProcess[] = [];

  function learn(stratum: Stratum): void {
    harm.add(stratum);
    const effect = designEffect({ from: stage, to: stratum.to });
    for (const process of noHarm) process.add(stratum, effect);
  }

  return {
    startStage(atMs) {
      strata.cut(atMs).forEach(learn);
      harm.startStage();
      stage = { ...strata.end(), atMs };
      noHarm = createNoHarmProcesses(rules);
    },
    add(sample) {
      strata.add(sample).forEach(learn);
    },
    find() {
      const now = strata.end();
      const bets = harm.bets().map((bet) => weighBet(bet, now));
      return judge(rules, { stage: weighWindow(stage, now), bets, noHarm });
    },
  };
}

function createNoHarmProcesses(rules: ResolvedRules): NoHarmProcess[] {
  const { noHarmOdds, noHarmShare, noHarmThreshold: threshold } = rules;
  const odds = createOddsProcess({ bound: noHarmOdds, threshold });
  return noHarmShare === null ? [odds] : [odds, createShareProcess({ bound: noHarmShare, threshold })];
}

interface WeighedWindow {
  window: Window;
  designEffect: number;
}

/** A bet as it stands now, tempered by the design effect of its own window. */
interface WeighedBet extends WeighedWindow {
  logEValue: number;
}

function weighWindow(from: Mark, to: Mark): WeighedWindow {
  const window = { from, to };
  return { window, designEffect: designEffect(window) };
}

function weighBet({ from, logPrior, logRatio }: HarmBet, to: Mark): WeighedBet {
  const weighed = weighWindow(from, to);
  return { ...weighed, logEValue: logPrior + temper(logRatio, weighed.designEffect) };
}

/** Statistically clear is not enough: the difference must be big enough to matter. */
function isBigEnough({ harmOdds, harmExcess }: MetricRules, window: Window): boolean {
  const { odds, excess } = contrast(window);
  return odds >= harmOdds && excess >= harmExcess;
}

interface Standing {
  stage: WeighedWindow;
  bets: WeighedBet[];
  noHarm: readonly NoHarmProcess[];
}

function judge(rules: ResolvedRules, { stage, bets, noHarm }: Standing): Finding {
  const grave = bets.filter((bet) => isBigEnough(rules, bet.window));
  const logGrave = logSum(grave);
  const logNoHarm = Math.max(...noHarm.map((process) => process.logEValue(stage.designEffect)));
  const verdict = decide(rules, logGrave, logNoHarm);
  const isSuspicious = logGrave >= logSuspicion(rules);
  const { window, designEffect: effect } = isSuspicious ? strongest(grave) : stage;
  const { odds } = contrast(window);
  const facts = {
    metric: rules.metric,
    verdict,
    eValue: expCapped(logSum(bets)),
    threshold: rules.threshold,
    designEffect: effect,
    fromMs: window.from.atMs,
    ratio: Number.isFinite(odds) ? odds : null,
    candidate: counts(window, "candidate"),
    stable: counts(window, "stable"),
    noHarmEValue: expCapped(logNoHarm),
    noHarmThreshold: rules.noHarmThreshold,
    smallestDetectableRatio: detectable(rules, stage),
  };
  const logUrgency = logSum(bets) - Math.log(rules.threshold);
  return { logUrgency, evidence: { ...facts, reason: explain(facts) } };
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

function detectable(rules: ResolvedRules, { window, designEffect: effect }: WeighedWindow): number | null {
  const stable = counts(window, "stable");
  return smallestDetectableRatio({
    candidateTotal: counts(window, "candidate").total,
    stableTotal: stable.total,
    stableBad: stable.bad,
    designEffect: effect,
    logThreshold: Math.log(rules.threshold) - LOG_FIRST_PRIOR,
  });
}
