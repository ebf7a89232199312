/** When requests are due: evenly spaced, decided beforehand, whatever becomes of them (an open loop). */
export interface Schedule {
  /** Infinity when there is no end. */
  readonly total: number;
  /** Milliseconds from the start to the request of this index, counted from 0. */
  dueMs(index: number): number;
  /** How many requests are due once so much time has passed. */
  countDue(elapsedMs: number): number;
}

/** `durationMs` null: until told to stop. */
export function createSchedule(options: { rps: number; durationMs: number | null }): Schedule {
  const { rps, durationMs } = options;
  const total = durationMs === null ? Infinity : Math.ceil((durationMs * rps) / 1000);
  return {
    total,
    dueMs: (index) => (index * 1000) / rps,
    countDue: (elapsedMs) => Math.min(Math.floor((elapsedMs * rps) / 1000) + 1, total),
  };
}
