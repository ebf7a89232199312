import { readFile } from "node:fs/promises";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

export interface WatchedFileOptions {
  /** Absolute. */
  file: string;
  /** What it holds, for the log: "scrapes", "rules". */
  holds: string;
  clock: Clock;
  log: Log;
  /** How soon a change is noticed. */
  lookMs?: number;
  /** Puts a text in force; what it throws is why the one before stays. */
  apply(text: string): Promise<void>;
  /** Words of that. */
  explain(error: unknown): string;
}

/** A file of settings that may change at any time; one that is broken leaves in force what was. */
export interface WatchedFile {
  /** Why the file as it is now is not in force; null when it is. */
  problem(): string | null;
  /** What is in force; null before anything was. */
  text(): string | null;
  /** Resolves after the first look. */
  start(): Promise<void>;
  /** Resolves when no look is under way. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** There are no changes to be told of by the system: the file is looked at. */
const LOOK_MS = 5_000;

/** A change is taken in once two looks agree: one that is just being written says less than it will. */
export function watchFile(options: WatchedFileOptions): WatchedFile {
  const { file, holds, clock, log, lookMs = LOOK_MS, apply, explain } = options;
  let inForce: string | null = null;
  let seen: string | null = null;
  let problem: string | null = null;
  let stopLooking = () => {};
  let looking: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    try {
      const text = await readFile(file, "utf8");
      const isSettled = inForce === null || text === seen;
      seen = text;
      if (!isSettled) return;
      if (text !== inForce) await apply(text);
      inForce = text;
      problem = null;
    } catch (error) {
      const words = explain(error);
      if (words !== problem) log.warn({ file, holds, problem: words }, "a file is not in force");
      problem = words;
    }
  }

  return {
    problem: () => problem,
    text: () => inForce,
    async start() {
      looking = look();
      await looking;
      stopLooking = clock.every(lookMs, async () => await (looking = look()));
    },
    settled: () => looking,
    async stop() {
      stopLooking();
      await looking;
    },
  };
}
