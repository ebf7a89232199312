import { nextScrapeMs, offsetOf, timestampOf } from "@mainstay/metrics/scrape";
import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import type { ScrapedText, ScrapeSink, TargetSpec } from "./scrape-sink.ts";

/** Asks the target; rejects with why there is no answer. */
export type AskTarget = (signal: AbortSignal) => Promise<{ text: string; format: "prometheus" | "openmetrics" }>;

export interface LoopDependencies {
  clock: Clock;
  log: Log;
  sink: ScrapeSink;
  /** Of this server: what shifts its scrapes against those of others. */
  seed: string;
}

export interface LoopTarget {
  id: string;
  intervalMs: number;
  spec: TargetSpec;
  ask: AskTarget;
}

/** How the scrapes of one target went. */
export interface TargetHealth {
  health: "unknown" | "up" | "down";
  lastError: string | null;
  lastScrapeMs: number | null;
  lastDurationMs: number | null;
}

export interface TargetLoop {
  health(): TargetHealth;
  /** Resolves once nothing of it runs; with `isGone` its series have ended by then. */
  stop(isGone: boolean): Promise<void>;
}

/** Scrapes one target at its point of every interval; a scrape that takes longer leaves turns out. */
export function startTargetLoop(target: LoopTarget, { clock, log, sink, seed }: LoopDependencies): TargetLoop {
  const { id, intervalMs, spec, ask } = target;
  const stopping = new AbortController();
  const { signal } = stopping;
  const offsetMs = offsetOf(id, seed, intervalMs);
  let health: TargetHealth = { health: "unknown", lastError: null, lastScrapeMs: null, lastDurationMs: null };
  const running = run();

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const nowMs = clock.now().getTime();
      const dueMs = nextScrapeMs(nowMs, intervalMs, offsetMs);
      const isDue = await clock.sleep(dueMs - nowMs, signal).then(
        () => true,
        () => false,
      );
      if (isDue) await scrape(dueMs);
    }
  }

  async function scrape(dueMs: number): Promise<void> {
    const atMs = timestampOf(clock.now().getTime(), dueMs);
    const beganMs = clock.monotonicMs();
    const answer = await ask(signal).catch((error: unknown) => ({ error: reasonOf(error) }));
    if (signal.aborted) return;
    const durationMs = clock.monotonicMs() - beganMs;
    const error = await hand({ atMs, durationMs, answer });
    if (error !== health.lastError) log.debug({ target: id, error }, "a target answers in another way than before");
    health = {
      health: error === null ? "up" : "down",
      ...{ lastError: error, lastScrapeMs: atMs, lastDurationMs: durationMs },
    };
  }

  /** A store that takes nothing leaves a gap; the next scrape tries again. */
  function hand(scraped: ScrapedText): Promise<string | null> {
    return sink.take(id, spec, scraped).then(
      ({ error }) => error,
      (error: unknown) => `the answer could not be kept: ${reasonOf(error)}`,
    );
  }

  return {
    health: () => health,
    async stop(isGone) {
      stopping.abort();
      await running;
      if (!isGone) return;
      await sink.end(id, clock.now().getTime()).catch((error: unknown) => {
        log.warn({ target: id, error }, "the end of a target's series could not be told");
      });
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
