import type { Clock } from "./clock.ts";

export class DeadlineError extends Error {
  constructor(ms: number) {
    super(`not done within ${ms} ms`);
    this.name = "DeadlineError";
  }
}

export interface Deadline {
  clock: Clock;
  ms: number;
}

/** What the work comes to, or a DeadlineError when it takes longer; the work itself is not ended by that. */
export async function withDeadline<T>({ clock, ms }: Deadline, work: Promise<T> | T): Promise<T> {
  const done = new AbortController();
  const expired = clock.sleep(ms, done.signal).then(() => {
    throw new DeadlineError(ms);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    expired.catch(() => {});
    done.abort("in time");
  }
}
