import type { Ledger } from "./ledger.ts";

/** What a worker counts besides its arms. */
export interface WorkerCounts {
  started(): void;
  finished(): void;
  aborted(): void;
  unrouted(): void;
  /** A request that the platform itself failed. */
  lost(reason: string): void;
  snapshot(): { inflight: number; aborted: number; unrouted: number; lost: Record<string, number> };
}

export function createWorkerCounts(ledger: Ledger): WorkerCounts {
  const lost = new Map<string, number>(ledger.orphaned > 0 ? [["worker_killed", ledger.orphaned]] : []);
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
    lost: (reason) => void lost.set(reason, (lost.get(reason) ?? 0) + 1),
    snapshot: () => ({ inflight, aborted, unrouted, lost: Object.fromEntries(lost) }),
  };
}
