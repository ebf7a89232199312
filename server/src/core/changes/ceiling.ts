import { judgeLimit, type Sample } from "@mainstay/evidence";

/** Older samples no longer count against an absolute ceiling. */
const KEPT_SAMPLES = 3600;

export interface CeilingQuestion {
  metric: string;
  /** The share of bad requests that the candidate may not exceed. */
  share: number;
  /** What a bad request did: "failed", "took longer than 500 ms". */
  words: string;
}

/** An absolute limit that a release sets itself (`rollout.limits`). */
export function createCeiling({ metric, share, words }: CeilingQuestion) {
  const samples: Sample[] = [];
  return {
    add(sample: Sample): void {
      if (sample.metric !== metric) return;
      samples.push(sample);
      if (samples.length > KEPT_SAMPLES) samples.shift();
    },
    /** Why the candidate breaks the ceiling; null while it keeps it or too little is known. */
    broken(): string | null {
      const { isViolated, candidate, stable } = judgeLimit({ share, samples });
      if (!isViolated) return null;
      const percent = `${Number((share * 100).toFixed(2))}%`;
      return (
        `${candidate.bad} of ${candidate.total} requests of the candidate ${words}, more than the limit of ${percent}; ` +
        `${stable.bad} of ${stable.total} of the stable release did`
      );
    },
  };
}
