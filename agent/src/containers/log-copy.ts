import { mkdirSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ContainerEngine } from "./engine.ts";
import { createFrameReader, type LogFrame } from "./log-frames.ts";
import { openLogPosition } from "./log-position.ts";

const RETRY_MS = 1000;
const FILES = { 1: "stdout.log", 2: "stderr.log" } as const;

export interface LogCopy {
  /** The container has ended: resolves when all it wrote is here, or the time is over. */
  finish(timeoutMs: number): Promise<void>;
}

interface LogCopyOptions {
  engine: Pick<ContainerEngine, "logs">;
  container: string;
  logDirectory: string;
  onError(error: unknown): void;
}

/** Copies what a container writes into the files that processes write to, from where it was left off. */
export function copyLogs({ engine, container, logDirectory, onError }: LogCopyOptions): LogCopy {
  mkdirSync(logDirectory, { recursive: true });
  const position = openLogPosition(join(logDirectory, "copied.json"), container);
  const stopping = new AbortController();
  let hasEnded = false;
  let isTroubled = false;

  /** Once for each time that it goes wrong. */
  function tell(error: unknown): void {
    if (!isTroubled && !stopping.signal.aborted) onError(error);
    isTroubled = true;
  }

  async function write(frames: LogFrame[]): Promise<void> {
    for (const stream of [1, 2] as const) {
      const bytes = Buffer.concat(frames.flatMap((each) => (each.stream === stream ? [each.bytes] : [])));
      if (bytes.length > 0) await appendFile(join(logDirectory, FILES[stream]), bytes, { mode: 0o640 });
    }
  }

  /** Until the engine has no more to tell: the container ended, or the engine went away. */
  async function copyOnce(): Promise<void> {
    const response = await engine.logs(container, position.sinceSeconds(), stopping.signal);
    const read = createFrameReader();
    position.rewind();
    if (response.statusCode !== 200) return void response.resume();
    isTroubled = false;
    for await (const chunk of response) {
      const fresh = position.take(read(chunk));
      await write(fresh);
      if (fresh.length > 0) position.save();
    }
  }

  async function copy(): Promise<void> {
    for (;;) {
      const wasOver = hasEnded;
      await copyOnce().catch(tell);
      if (wasOver || stopping.signal.aborted) return;
      // Once more after the end: what was written last may have come after the engine's last word.
      if (!hasEnded) await sleep(RETRY_MS, undefined, { signal: ending.signal, ref: false }).catch(() => {});
    }
  }

  const ending = new AbortController();
  const copying = copy();
  return {
    async finish(timeoutMs) {
      hasEnded = true;
      ending.abort();
      const timer = setTimeout(() => stopping.abort(), timeoutMs);
      await copying;
      clearTimeout(timer);
    },
  };
}
