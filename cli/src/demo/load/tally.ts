import { createLatencyHistogram } from "./latency-histogram.ts";
import type { OutcomeCounts, ReleaseCounts } from "./load-lines.ts";
import type { Outcome } from "./outcome.ts";

export interface Finished {
  outcome: Outcome;
  latencyMs: number;
  release: string | null;
}

export interface Tally {
  sent(): void;
  finish(finished: Finished): void;
  /** The counts since the last `clear`. */
  read(): TallyCounts;
  quantileMs(share: number): number | null;
  clear(): void;
}

export interface TallyCounts extends OutcomeCounts {
  sent: number;
  lostReasons: Record<string, number>;
  byRelease: Record<string, ReleaseCounts>;
}

/** Releases and reasons come out of answers: beyond so many they are counted together. */
const MAX_NAMES = 50;
const OTHER = "other";

const FIELD = {
  ok: "ok",
  "application-error": "applicationErrors",
  refused: "refused",
  lost: "lost",
} as const;

/** Counts requests in memory of a bounded size. */
export function createTally(): Tally {
  const latencies = createLatencyHistogram();
  let counts = emptyCounts();

  return {
    sent: () => void (counts.sent += 1),
    finish({ outcome, latencyMs, release }) {
      counts[FIELD[outcome.kind]] += 1;
      if (outcome.kind === "lost") {
        const reason = boundedName(counts.lostReasons, outcome.reason);
        counts.lostReasons[reason] = (counts.lostReasons[reason] ?? 0) + 1;
        return;
      }
      latencies.record(latencyMs);
      if (release === null) return;
      const ofRelease = (counts.byRelease[boundedName(counts.byRelease, release)] ??= {
        answers: 0,
        applicationErrors: 0,
      });
      ofRelease.answers += 1;
      if (outcome.kind === "application-error") ofRelease.applicationErrors += 1;
    },
    read: () => counts,
    quantileMs: (share) => latencies.quantile(share),
    clear() {
      counts = emptyCounts();
      latencies.clear();
    },
  };
}

function emptyCounts(): TallyCounts {
  return { sent: 0, ok: 0, applicationErrors: 0, refused: 0, lost: 0, lostReasons: {}, byRelease: {} };
}

function boundedName(known: Record<string, unknown>, name: string): string {
  return Object.hasOwn(known, name) || Object.keys(known).length < MAX_NAMES ? name : OTHER;
}
