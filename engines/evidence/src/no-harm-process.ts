import { isInformative, logMeanPowers } from "./hypergeometric.ts";
import {
  clusteringOfArms,
  clusteringOfCandidate,
  INDEPENDENT,
  temper,
  type Clustering,
} from "./clustering.ts";
import { logMeanExp } from "./logarithms.ts";
import type { Mark, Stratum, Window } from "./record.ts";

/** What the odds ratio is bet to be, against the bound or more. */
const ODDS = [1, 0.7, 0.5] as const;
/** What the candidate's share is bet to be, in parts of the bound, against the bound or more. */
const SHARES = [0.05, 0.4] as const;
/**
 * Evidence beyond this multiple of the threshold is not kept: a good past must not outweigh a bad present.
 */
const KEPT = 10;

/**
 * An e-process against one hypothesis "the candidate does harm", as a mixture of
 * bets with equal stakes. It looks at one stage: each stage earns its own proof.
 * Keeping less than was won leaves it a supermartingale under the hypothesis.
 */
export interface NoHarmProcess {
  add(stratum: Stratum): void;
  /** ln of the e-value, tempered by the design effect. */
  logEValue(): number;
}

export interface Bound {
  bound: number;
  threshold: number;
  /** Where the stage began. */
  from: Mark;
}

/** Against "the odds ratio is `bound` or more". */
export function createOddsProcess({ bound, ...stage }: Bound): NoHarmProcess {
  const odds = [bound, ...ODDS];
  const logOdds = ODDS.map((each) => Math.log(each / bound));
  return createProcess({ ...stage, assess: clusteringOfArms }, ({ margins, candidateBad }) => {
    if (!isInformative(margins)) return null;
    const [logBound = 0, ...logMeans] = logMeanPowers(margins, odds);
    return logOdds.map((each, index) => candidateBad * each + logBound - (logMeans[index] ?? 0));
  });
}

/** Against "the candidate's share of bad requests is `bound` or more". */
export function createShareProcess({ bound, ...stage }: Bound): NoHarmProcess {
  const logBad = SHARES.map((part) => Math.log(part));
  const logGood = SHARES.map((part) => Math.log1p(-part * bound) - Math.log1p(-bound));
  return createProcess({ ...stage, assess: clusteringOfCandidate }, ({ margins, candidateBad }) => {
    const good = margins.candidate - candidateBad;
    return SHARES.map((_, index) => candidateBad * (logBad[index] ?? 0) + good * (logGood[index] ?? 0));
  });
}

interface ProcessOptions extends Omit<Bound, "bound"> {
  assess: (stage: Window) => Clustering;
}

/** `win` says what a stratum adds to the logarithm of each bet; null when it says nothing. */
function createProcess(options: ProcessOptions, win: (stratum: Stratum) => number[] | null): NoHarmProcess {
  const { threshold, from, assess } = options;
  let logBets: number[] = [0];
  let clustering = INDEPENDENT;
  return {
    add(stratum) {
      clustering = assess({ from, to: stratum.to });
      const won = win(stratum);
      if (won === null) return;
      const logMost = clustering.designEffect * Math.log(threshold * won.length * KEPT);
      logBets = won.map((each, index) => Math.min((logBets[index] ?? 0) + each, logMost));
    },
    logEValue: () => logMeanExp(logBets.map((each) => temper(each, clustering))),
  };
}
