import type { Clock } from "./clock.ts";

/** Wakes a sleeping loop: a ring while nobody sleeps is remembered for the next sleep. */
export interface Wake {
  ring(): void;
  /** Resolves at the next ring, after `ms`, or at once when it rang meanwhile or the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export function createWake(clock: Clock): Wake {
  let hasRung = false;
  let sleeper: AbortController | null = null;
  return {
    ring() {
      hasRung = true;
      sleeper?.abort();
    },
    async sleep(ms, signal) {
      if (!hasRung && !signal.aborted) {
        const mine = new AbortController();
        sleeper = mine;
        await clock.sleep(ms, AbortSignal.any([mine.signal, signal])).catch(() => undefined);
        sleeper = null;
      }
      hasRung = false;
    },
  };
}
