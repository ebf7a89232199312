import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLabels } from "@mainstay/metrics";
import { createSampleBatch, openMetricsStore, type Disk, type MetricsStore } from "@mainstay/metrics/tsdb";
import { describe, expect, it } from "vitest";
import { SMALL_LIMITS, START_MS } from "../support/metrics-rounds.ts";

const DISK_BYTES = 3 * 2 ** 20;
const SERIES = 200;

/** A disk of three megabytes: a file system of its own where that may be mounted, else one that counts. */
interface SmallDisk extends Disposable {
  disk: Disk;
  directory: string;
  ballast(sizeBytes: number): void;
  removeBallast(): void;
}

function openSmallDisk(): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), "mainstay-full-"));
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", directory]);
  if (mount.status !== 0) return countedDisk(directory);
  const ballast = join(directory, "ballast");
  return {
    disk: fs,
    directory,
    ballast: (sizeBytes) => writeFileSync(ballast, Buffer.alloc(sizeBytes)),
    removeBallast: () => rmSync(ballast),
    [Symbol.dispose]: () => {
      spawnSync("umount", [directory]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Refuses what is written beyond the size, as a full disk does: the last write is taken in part. */
function countedDisk(directory: string): SmallDisk {
  let held = 0;
  const disk: Disk = {
    ...fs,
    writeSync: (...[fd, bytes, offset, length, position]: Parameters<Disk["writeSync"]>) => {
      const taken = Math.min(length, DISK_BYTES - held);
      if (taken <= 0) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      held += taken;
      return fs.writeSync(fd, bytes, offset, taken, position);
    },
  };
  return {
    disk,
    directory,
    ballast: (sizeBytes) => void (held += sizeBytes),
    removeBallast: () => void (held = 0),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function openStore({ disk, directory }: SmallDisk): MetricsStore {
  return openMetricsStore({
    disk,
    directory: join(directory, "store"),
    clock: { now: () => START_MS + 1e9 },
    pause: async () => {},
    ...SMALL_LIMITS,
  });
}

function appendRound(store: MetricsStore, round: number): void {
  const batch = createSampleBatch(SERIES);
  for (let nth = 0; nth < SERIES; nth++) {
    const answer = store.resolve(
      createLabels([
        ["__name__", "work"],
        ["nth", String(nth)],
      ]),
    );
    if ("refusal" in answer) throw new Error(answer.refusal.message);
    batch.refs[nth] = answer.ref;
    batch.timestampsMs[nth] = START_MS + round * 15_000;
    batch.values[nth] = round;
  }
  batch.count = SERIES;
  store.append({ samples: batch });
}

/** How many rounds every series has, without a gap. */
function roundsOf(store: MetricsStore): number {
  const found = store.select([{ name: "__name__", operator: "=", value: "work" }], {
    fromMs: 0,
    toMs: START_MS + 1e12,
    hints: { stepMs: 0, rangeMs: 0, functionName: "" },
    budget: { addSamples: () => {}, addBytes: () => {} },
  });
  expect(found).toHaveLength(SERIES);
  const [first] = found;
  for (const { floats } of found) expect(floats.values).toEqual(first?.floats.values);
  expect([...(first?.floats.values ?? [])]).toEqual([...(first?.floats.values.keys() ?? [])]);
  return first?.floats.values.length ?? 0;
}

describe("a metrics store on a full disk", () => {
  it("refuses samples and says so, answers queries, and goes on when there is room again", async () => {
    using small = openSmallDisk();
    const store = openStore(small);
    let rounds = 0;
    const fillUp = () => {
      for (;;) appendRound(store, rounds++);
    };
    appendRound(store, rounds++);
    small.ballast(2 * 2 ** 20);
    expect(fillUp).toThrow(/no space is left in .*: free some/);
    const taken = rounds - 1;
    expect(roundsOf(store)).toBe(taken);
    expect(() => appendRound(store, taken)).toThrow(expect.objectContaining({ fault: "disk-full" }));
    await expect(store.maintain()).rejects.toThrow("no space is left");
    expect(roundsOf(store)).toBe(taken);
    expect(store.status().counts).toMatchObject({ refusedByDisk: 3, failedMaintenance: 1 });

    small.removeBallast();
    appendRound(store, taken);
    await store.maintain();
    appendRound(store, taken + 1);
    expect(roundsOf(store)).toBe(taken + 2);
    await store.close();

    const again = openStore(small);
    expect(roundsOf(again)).toBe(taken + 2);
    await again.close();
  });

  it("stops before the last bytes are gone when it is told to leave some free", () => {
    using small = openSmallDisk();
    const disk = { ...small.disk, statfsSync: () => ({ bavail: 10, bsize: 4096 }) };
    const store = openMetricsStore({
      disk,
      directory: join(small.directory, "store"),
      clock: { now: () => START_MS },
      pause: async () => {},
      minFreeBytes: 2 ** 20,
    });
    expect(() => store.append({})).toThrow(expect.objectContaining({ fault: "disk-full" }));
    expect(store.status().hasEnoughSpace).toBe(false);
  });
});
