/** Time as a parameter: the system's in production, a virtual one in tests. */
export interface Clock {
  now(): Date;
  /** Never goes backwards, whatever happens to the wall clock; its zero means nothing. */
  monotonicMs(): number;
  /** Rejects with the signal's reason as soon as the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs the task each `ms`, first after `ms`, never two at once, until the returned function is called. */
  every(ms: number, task: () => void | Promise<void>): () => void;
}

export interface VirtualClock extends Clock {
  /** Moves time forward and runs, in order, everything that falls due on the way. */
  advance(ms: number): Promise<void>;
}

/** The longest delay that setTimeout keeps; a longer one would fire at once. */
const TIMER_LIMIT_MS = 2 ** 31 - 1;

type Timers = Pick<Clock, "monotonicMs" | "sleep">;

/** The clock of the machine. */
export function createSystemClock(): Clock {
  const timers: Timers = {
    monotonicMs: () => performance.now(),
    async sleep(ms, signal) {
      for (let restMs = ms; ; restMs -= TIMER_LIMIT_MS) {
        await timer(Math.min(restMs, TIMER_LIMIT_MS), signal);
        if (restMs <= TIMER_LIMIT_MS) return;
      }
    },
  };
  return { ...timers, now: () => new Date(), every: (ms, task) => repeat(timers, ms, task) };
}

/** A clock that stands still until `advance`; `startMs` is milliseconds since the epoch. */
export function createVirtualClock(startMs = 0): VirtualClock {
  interface Sleeper {
    dueMs: number;
    wake: () => void;
  }
  const sleepers = new Set<Sleeper>();
  let nowMs = startMs;

  const timers: Timers = {
    monotonicMs: () => nowMs,
    sleep: (ms, signal) =>
      abortable(signal, (resolve) => {
        const sleeper = { dueMs: nowMs + ms, wake: resolve };
        sleepers.add(sleeper);
        return () => sleepers.delete(sleeper);
      }),
  };

  async function advance(ms: number): Promise<void> {
    const endMs = nowMs + ms;
    await settle();
    for (let next = earliest(); next && next.dueMs <= endMs; next = earliest()) {
      nowMs = Math.max(nowMs, next.dueMs);
      sleepers.delete(next);
      next.wake();
      await settle();
    }
    nowMs = endMs;
  }

  function earliest(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of sleepers) if (!first || sleeper.dueMs < first.dueMs) first = sleeper;
    return first;
  }

  return { ...timers, now: () => new Date(nowMs), every: (ms, task) => repeat(timers, ms, task), advance };
}

/** Lets the promise callbacks that are ready run, so that a woken sleeper can go to sleep again. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return abortable(signal, (resolve) => {
    const handle = setTimeout(resolve, ms);
    return () => clearTimeout(handle);
  });
}

/** A promise that `begin` resolves, unless the signal comes first: then what `begin` returned cleans up. */
function abortable(
  signal: AbortSignal | undefined,
  begin: (resolve: () => void) => () => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = begin(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    function abort(): void {
      cancel();
      reject(signal?.reason);
    }
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** A steady rate; turns that were missed while the task ran long are left out, not caught up. */
function repeat(timers: Timers, ms: number, task: () => void | Promise<void>): () => void {
  const stopped = new AbortController();
  void run();
  return () => stopped.abort();

  async function run(): Promise<void> {
    let dueMs = timers.monotonicMs();
    for (;;) {
      const nowMs = timers.monotonicMs();
      dueMs = Math.max(dueMs + ms, nowMs);
      const slept = await timers.sleep(dueMs - nowMs, stopped.signal).then(
        () => true,
        () => false,
      );
      if (!slept) return;
      await task();
      if (stopped.signal.aborted) return;
    }
  }
}
