import { spawn } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openMetricsStore, type MetricsStore } from "@mainstay/metrics/tsdb";
import { afterAll, describe, expect, it } from "vitest";
import {
  expectedValue,
  METRICS_SERIES,
  ROUND_MS,
  SMALL_LIMITS,
  START_MS,
} from "../support/metrics-rounds.ts";

const WRITER = fileURLToPath(new URL("../support/metrics-writer.ts", import.meta.url));
const POINTS = 200;
const POINTS_PER_STORE = 5;
const SEED = 20_261_122;
/**
 * Memory where there is such a directory: what a process
 * leaves behind is the same, and nothing waits for platters.
 */
const BASE = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const directories: string[] = [];

afterAll(() => {
  for (const each of directories) rmSync(each, { recursive: true, force: true });
});

/**
 * Half of the writers are killed after an answer, half kill themselves in the middle of a call to the disk.
 */
interface Death {
  answers: number;
  calls: number;
}

describe("a metrics store whose process is killed", () => {
  const stores = Array.from({ length: POINTS / POINTS_PER_STORE }, (_, nth) => nth);

  it.each(stores)("has every sample that was acknowledged, five deaths in a row (store %i)", async (nth) => {
    const directory = mkdtempSync(join(BASE, "mainstay-killed-"));
    directories.push(directory);
    const random = seeded(SEED + nth);
    let nextRound = 0;
    let cuts = 0;
    for (let point = 0; point < POINTS_PER_STORE; point++) {
      const death: Death =
        point % 2 === 0
          ? { answers: 1 + Math.floor(random() * 120), calls: 0 }
          : { answers: Infinity, calls: 1 + Math.floor(random() * 200) };
      const acknowledged = await writeUntilDeath(directory, { nextRound, death });
      const store = openStore(directory);
      nextRound = checkRounds(store, Math.max(acknowledged + 1, nextRound));
      cuts = store.status().blocks.length;
      expect(store.status().quarantined).toEqual([]);
      await store.close();
    }
    expect(cuts).toBeGreaterThan(0);
  });
});

/** Returns the last round that was acknowledged; -1 for none. */
async function writeUntilDeath(
  directory: string,
  { nextRound, death }: { nextRound: number; death: Death },
): Promise<number> {
  const args = [WRITER, directory, String(nextRound), String(death.calls)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exit = once(child, "exit");
  let last = -1;
  let answers = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (++answers === death.answers) child.kill("SIGKILL");
  }
  const [, signal] = await exit;
  expect(signal).toBe("SIGKILL");
  return last;
}

function openStore(directory: string): MetricsStore {
  return openMetricsStore({
    disk: fs,
    directory,
    clock: { now: () => START_MS },
    pause: async () => {},
    ...SMALL_LIMITS,
  });
}

/**
 * Every series has every round up to at least the given one, and no other; says how many rounds there are.
 */
function checkRounds(store: MetricsStore, acknowledged: number): number {
  const found = store.select([{ name: "__name__", operator: "=", value: "work" }], {
    fromMs: START_MS,
    toMs: START_MS + 1e12,
    hints: { stepMs: 0, rangeMs: 0, functionName: "" },
    budget: { addSamples: () => {}, addBytes: () => {} },
  });
  if (acknowledged > 0) expect(found).toHaveLength(METRICS_SERIES);
  const rounds = found[0]?.floats.timestampsMs.length ?? 0;
  expect(rounds).toBeGreaterThanOrEqual(acknowledged);
  for (const { labels, floats } of found) {
    const nth = Number(labels.values[labels.names.indexOf("nth")]);
    const times = Array.from({ length: rounds }, (_, round) => START_MS + round * ROUND_MS);
    expect([...floats.timestampsMs]).toEqual(times);
    expect([...floats.values]).toEqual(times.map((_, round) => expectedValue(nth, round)));
  }
  return rounds;
}

/** Numbers from 0 to 1 that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
