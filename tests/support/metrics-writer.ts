import * as fs from "node:fs";
import { createLabels } from "@mainstay/metrics";
import { createSampleBatch, openMetricsStore, type Disk } from "@mainstay/metrics/tsdb";
import { expectedValue, METRICS_SERIES, ROUND_MS, SMALL_LIMITS, START_MS } from "./metrics-rounds.ts";

/**
 * A process that appends round after round and says so on standard output after each: `<directory> <first
 * round> <calls>`. At that many calls that alter the disk it kills itself, half way through what is written.
 */
const [directory = "", first = "0", calls = "0"] = process.argv.slice(2);
let callsLeft = Number(calls);
let round = Number(first);

const disk: Disk = {
  ...fs,
  writeSync: (...[fd, bytes, offset, length, position]: Parameters<Disk["writeSync"]>) => {
    if (--callsLeft === 0) {
      fs.writeSync(fd, bytes, offset, length >> 1, position);
      die();
    }
    return fs.writeSync(fd, bytes, offset, length, position);
  },
  renameSync: (from, to) => {
    dieAtLast();
    fs.renameSync(from, to);
  },
  fsyncSync: (fd) => {
    dieAtLast();
    fs.fsyncSync(fd);
  },
  rmSync: (path, options) => {
    dieAtLast();
    fs.rmSync(path, options);
  },
};

function dieAtLast(): void {
  if (--callsLeft === 0) die();
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const store = openMetricsStore({
  disk,
  directory,
  clock: { now: () => START_MS + round * ROUND_MS },
  pause: () => new Promise((resolve) => setImmediate(resolve)),
  ...SMALL_LIMITS,
});
const batch = createSampleBatch(METRICS_SERIES);
for (;;) {
  for (let nth = 0; nth < METRICS_SERIES; nth++) {
    const labels = createLabels([
      ["__name__", "work"],
      ["nth", String(nth)],
    ]);
    const answer = store.resolve(labels);
    if ("refusal" in answer) throw new Error(answer.refusal.message);
    batch.refs[nth] = answer.ref;
    batch.timestampsMs[nth] = START_MS + round * ROUND_MS;
    batch.values[nth] = expectedValue(nth, round);
  }
  batch.count = METRICS_SERIES;
  store.append({ samples: batch });
  fs.writeSync(1, `${round}\n`);
  round++;
  if (round % 10 === 0) store.sync();
  if (round % 45 === 0) await store.maintain();
}
