import { AppError } from "@mainstay/api";
import type { Log } from "../log.ts";
import type { Authenticated } from "./authority.ts";
import type { AnyRoute } from "./route.ts";

/** A request that is being worked on, until its answer has left or its connection is gone. */
export interface Exchange {
  requestId: string;
  /** Null where no route has this address. */
  route: AnyRoute | null;
  authenticated: Authenticated;
  address: string;
  startedMs: number;
  log: Log;
  /** Aborts with the reason why nobody waits any more. */
  abandoned: AbortController;
  /** The error it was answered with. */
  error: AppError | null;
}

/** The exchanges under way. */
export interface Exchanges {
  add(exchange: Exchange): void;
  remove(exchange: Exchange): void;
  size(): number;
  /** Those that never end by themselves are told to end; the rest may finish. */
  endStreams(): void;
  /** Everything is told to end. */
  endAll(): void;
  /** Resolves when none is left. */
  allDone(): Promise<void>;
}

/** An empty set of exchanges. */
export function createExchanges(): Exchanges {
  const present = new Set<Exchange>();
  const waiting: (() => void)[] = [];

  function end(which: (exchange: Exchange) => boolean): void {
    for (const exchange of present)
      if (which(exchange)) exchange.abandoned.abort(new AppError("SHUTTING_DOWN"));
  }

  return {
    add: (exchange) => void present.add(exchange),
    remove(exchange) {
      present.delete(exchange);
      if (present.size === 0) waiting.splice(0).forEach((resolve) => resolve());
    },
    size: () => present.size,
    endStreams: () => end((exchange) => exchange.route?.stream !== undefined),
    endAll: () => end(() => true),
    allDone: () => (present.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}

/** The work's result, or the reason of the signal as an error as soon as it aborts. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    aborted.catch(() => {});
    signal.removeEventListener("abort", onAbort);
  }
}
