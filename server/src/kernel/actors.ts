import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";
import type { Log } from "./log.ts";

/** A part of the process that runs until it is stopped. */
export interface LongRunning {
  name: string;
  start(): Promise<void> | void;
  /** Called once, also when `start` failed or has not come back: gives back whatever it took. */
  stop(): Promise<void> | void;
}

export interface StopOutcome {
  reason: string;
  /** The parts whose stop failed or took longer than its deadline. */
  failed: string[];
}

export interface Actors {
  /**
   * Starts the parts in order. True when all run, false when `stop` came first; throws what a part throws.
   */
  start(): Promise<boolean>;
  /** Stops what was started, in reverse, each within the deadline. Further calls wait for the first. */
  stop(reason: string): Promise<StopOutcome>;
  /** Settles once everything has stopped, whoever asked for it. */
  stopped: Promise<StopOutcome>;
}

export interface ActorsOptions {
  clock: Clock;
  log: Log;
  /** How long each part may take to stop. */
  stopTimeoutMs: number;
}

/** Starts and stops the parts of a process as a whole. */
export function createActors(parts: LongRunning[], { clock, log, stopTimeoutMs }: ActorsOptions): Actors {
  const begun: LongRunning[] = [];
  const { promise: stopped, resolve } = Promise.withResolvers<StopOutcome>();
  let starting: Promise<boolean> | null = null;
  let stopping: Promise<StopOutcome> | null = null;

  async function startAll(): Promise<boolean> {
    for (const part of parts) {
      if (stopping) return false;
      begun.push(part);
      await part.start();
      log.debug({ part: part.name }, "part started");
    }
    return stopping === null;
  }

  async function stopAll(reason: string): Promise<StopOutcome> {
    const failed: string[] = [];
    log.info({ reason }, "stopping");
    // A start that is under way gets the same time to finish; its failure is the caller's of start.
    await withDeadline({ clock, ms: stopTimeoutMs }, starting ?? true).catch(() => false);
    for (const part of begun.toReversed()) {
      try {
        await withDeadline({ clock, ms: stopTimeoutMs }, part.stop());
        log.debug({ part: part.name }, "part stopped");
      } catch (error) {
        failed.push(part.name);
        log.error({ part: part.name, error }, "part did not stop");
      }
    }
    log.info({ reason, failed }, "stopped");
    resolve({ reason, failed });
    return { reason, failed };
  }

  function stop(reason: string): Promise<StopOutcome> {
    stopping ??= stopAll(reason);
    return stopping;
  }

  return {
    stopped,
    stop,
    async start() {
      starting = startAll();
      try {
        return await starting;
      } catch (error) {
        await stop("a part did not start");
        throw error;
      }
    },
  };
}

export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/**
 * SIGTERM or SIGINT stops the parts, the second one ends the process at once by `force`.
 * Returns a function that takes the handlers away.
 */
export function stopOnSignals(
  actors: Actors,
  source: SignalSource,
  force: (signal: NodeJS.Signals) => void,
): () => void {
  let isStopping = false;
  const removers = (["SIGTERM", "SIGINT"] as const).map((signal) => {
    const listener = (): void => {
      if (isStopping) return force(signal);
      isStopping = true;
      void actors.stop(signal);
    };
    source.on(signal, listener);
    return () => source.off(signal, listener);
  });
  return () => removers.forEach((remove) => remove());
}
