import { clusteringOfArms } from "./clustering.ts";
import { isInformative, logMeanPowers } from "./hypergeometric.ts";
import type { Mark, Stratum } from "./record.ts";

/** The odds ratios that are bet on, with equal stakes. */
const HARM_ODDS = [1.5, 2, 3, 5, 10, 30] as const;
const LOG_ODDS = HARM_ODDS.map((odds) => Math.log(odds));
const LOG_STAKE = -Math.log(HARM_ODDS.length);

/** One bet: "since `from` the odds ratio has been this much". */
export interface HarmBet {
  /** ln of the stake times the prior of this start. */
  logPrior: number;
  /** ln of the likelihood ratio to "both arms are alike", since `from`. */
  logRatio: number;
  from: Mark;
}

/**
 * The e-process against "the candidate is no worse". Its mixture holds, for every odds ratio
 * and every possible start of a regression, a bet with a prior, all priors together at most
 * 1. Of each odds ratio only the best bet is carried on, which is less than the mixture is
 * worth; so on a healthy candidate their sum ever reaches 1/α with a chance of at most α
 * (Ville 1939; Vovk & Wang 2021), whatever the number of starts, stages and restarts.
 */
export interface HarmProcess {
  startStage(): void;
  add(stratum: Stratum): void;
  bets(): readonly HarmBet[];
}

export function createHarmProcess({ harmGain }: { harmGain: number }): HarmProcess {
  const logGainLimit = Math.log(harmGain);
  let bets: HarmBet[] = [];
  let stages = 0;
  let strata = 0;
  let logStagePrior = -Infinity;
  return {
    bets: () => bets,
    startStage() {
      stages += 1;
      logStagePrior = logPriorOfStage(stages);
    },
    add({ from, to, margins, candidateBad }) {
      if (!isInformative(margins)) return;
      strata += 1;
      const fresh = {
        logPrior: LOG_STAKE + Math.max(logStagePrior, logPriorOfStratum(strata)),
        logRatio: 0,
        from,
      };
      logStagePrior = -Infinity;
      const logMeans = logMeanPowers(margins, HARM_ODDS);
      bets = LOG_ODDS.map((logOdds, index) => {
        const { logPrior, logRatio, from: start } = better(bets[index], fresh);
        // Evidence is divided by the design effect later, so its cap is that much higher.
        const limit = logGainLimit * clusteringOfArms({ from: start, to }).designEffect;
        return {
          logPrior,
          // Paying out less than was won keeps it an e-process.
          logRatio: logRatio + Math.min(limit, candidateBad * logOdds - (logMeans[index] ?? 0)),
          from: start,
        };
      });
    },
  };
}

function better(held: HarmBet | undefined, fresh: HarmBet): HarmBet {
  return held && held.logPrior + held.logRatio >= fresh.logPrior ? held : fresh;
}

/** Most regressions show from the first request on: so much of the prior belongs to the starts of stages. */
const STAGES_PART = 0.8;

/** Spread over the stages as 1/(j(j+1)), which sums to 1 over j ≥ 1. */
function logPriorOfStage(stage: number): number {
  return Math.log(STAGES_PART / (stage * (stage + 1)));
}

/** What a regression that shows from the first request on has against it. */
export const LOG_FIRST_PRIOR = LOG_STAKE + logPriorOfStage(1);

/** The rest belongs to all strata, as 1/log₂(k+1) − 1/log₂(k+2), which sums to 1 over k ≥ 1. */
function logPriorOfStratum(stratum: number): number {
  return Math.log((1 - STAGES_PART) * (1 / Math.log2(stratum + 1) - 1 / Math.log2(stratum + 2)));
}
