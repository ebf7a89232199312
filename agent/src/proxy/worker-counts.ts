import type { Ledger } from "./ledger.ts";
import type { WorkerCounters } from "./worker-protocol.ts";

/** What a worker counts besides its arms. */
export interface WorkerCounts {
  started(): void;
  finished(): void;
  aborted(): void;
  unrouted(): void;
  /** A request that the platform itself failed. */
  lost(reason: string): void;
  refused(reason: string): void;
  sentAway(kind: string): void;
  held(): void;
  snapshot(): Pick<
    WorkerCounters,
    "inflight" | "aborted" | "unrouted" | "lost" | "refused" | "sentAway" | "held"
  >;
}

export function createWorkerCounts(ledger: Ledger): WorkerCounts {
  const lost = new Map<string, number>(ledger.orphaned > 0 ? [["worker_killed", ledger.orphaned]] : []);
  const refused = new Map<string, number>();
  const sentAway = new Map<string, number>();
  let held = 0;
  let inflight = 0;
  let aborted = 0;
  let unrouted = 0;

  return {
    started() {
      inflight += 1;
      ledger.started();
    },
    finished() {
      inflight -= 1;
      ledger.finished();
    },
    aborted: () => void (aborted += 1),
    unrouted: () => void (unrouted += 1),
    lost: (reason) => countOne(lost, reason),
    refused: (reason) => countOne(refused, reason),
    sentAway: (kind) => countOne(sentAway, kind),
    held: () => void (held += 1),
    snapshot: () => ({
      inflight,
      aborted,
      unrouted,
      lost: Object.fromEntries(lost),
      refused: Object.fromEntries(refused),
      sentAway: Object.fromEntries(sentAway),
      held,
    }),
  };
}

function countOne(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
