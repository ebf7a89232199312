import type { Clock } from "../../../kernel/clock.ts";
import type { Log } from "../../../kernel/log.ts";
import { nextTurnMs, offsetOf } from "../../../kernel/schedule.ts";
import { describeRefused } from "../refused.ts";
import type { ScrapeRequest, ScrapeSink, TargetSpec, TextFormat } from "./scrape-sink.ts";
import { reasonOf } from "../../../kernel/reason-of.ts";

export interface LoopDependencies {
  clock: Clock;
  log: Log;
  sink: ScrapeSink;
  /** Of this server: what shifts its scrapes against those of others. */
  seed: string;
  /** Samples of an answer that the store did not take. */
  onRefused(job: string, reason: string, count: number): void;
}

export interface LoopTarget {
  id: string;
  job: string;
  intervalMs: number;
  spec: TargetSpec;
  /** Rejects with why there is no answer. */
  ask(signal: AbortSignal): Promise<{ text: string; format: TextFormat }>;
}

/** How the scrapes of one target went. */
export interface TargetHealth {
  health: "unknown" | "up" | "down";
  /** Why it is down; or what the store did not take of one that is up. */
  lastError: string | null;
  lastScrapeMs: number | null;
  lastDurationMs: number | null;
}

export interface TargetLoop {
  health(): TargetHealth;
  /** Resolves once nothing of it runs; with `isGone` its series have ended by then. */
  stop(isGone: boolean): Promise<void>;
}

interface Handed {
  /** Why the target is down. */
  error: string | null;
  /** What was not taken. */
  left: string | null;
}

/** How far a scrape may be from its time and still bear it: equal distances take less space. */
const TOLERANCE_MS = 2;

/** Scrapes one target at its point of every interval; a scrape that takes longer leaves turns out. */
export function startTargetLoop(target: LoopTarget, dependencies: LoopDependencies): TargetLoop {
  const { clock, log, sink, seed, onRefused } = dependencies;
  const { id, job, intervalMs, spec, ask } = target;
  const stopping = new AbortController();
  const { signal } = stopping;
  const offsetMs = offsetOf(`${seed}\0${id}`, intervalMs);
  let health: TargetHealth = { health: "unknown", lastError: null, lastScrapeMs: null, lastDurationMs: null };
  const running = run();

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const nowMs = clock.now().getTime();
      const dueMs = nextTurnMs(nowMs, intervalMs, offsetMs);
      await clock.sleep(dueMs - nowMs, signal).catch(() => undefined);
      if (!signal.aborted) await scrape(dueMs);
    }
  }

  async function scrape(dueMs: number): Promise<void> {
    const atMs = timestampOf(clock.now().getTime(), dueMs);
    const beganMs = clock.monotonicMs();
    const answer = await ask(signal).catch((error: unknown) => ({ error: reasonOf(error) }));
    if (signal.aborted) return;
    const durationMs = clock.monotonicMs() - beganMs;
    const { error, left } = await hand({ id, spec, atMs, durationMs, answer });
    const lastError = error ?? left;
    if (lastError !== health.lastError)
      log.debug({ target: id, error: lastError }, "a target answers in another way than before");
    health = {
      health: error === null ? "up" : "down",
      ...{ lastError, lastScrapeMs: atMs, lastDurationMs: durationMs },
    };
  }

  /** A store that takes nothing leaves a gap; the next scrape tries again. */
  async function hand(request: ScrapeRequest): Promise<Handed> {
    try {
      const { error, refused } = await sink.takeScrape(request);
      for (const { reason, count } of refused) onRefused(job, reason, count);
      return { error, left: refused.length === 0 ? null : describeRefused(refused, "; ") };
    } catch (error) {
      return { error: `the answer could not be kept: ${reasonOf(error)}`, left: null };
    }
  }

  return {
    health: () => health,
    async stop(isGone) {
      stopping.abort();
      await running;
      if (!isGone) return;
      await sink.endTarget({ id, atMs: clock.now().getTime() }).catch((error: unknown) => {
        log.warn({ target: id, error }, "the end of a target's series could not be told");
      });
    },
  };
}

/** The time that samples get of a scrape that was due and began a little later. */
export function timestampOf(beganMs: number, dueMs: number): number {
  return Math.abs(beganMs - dueMs) <= TOLERANCE_MS ? dueMs : beganMs;
}
