import { writeSync } from "node:fs";
import { platformFile } from "@mainstay/api";
import { createSystemClock } from "../../server/src/kernel/clock.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { createAppendBatch, createMetricsRoom } from "../../server/src/signals/metrics/index.ts";
import { silentLog } from "./log.ts";
import { waitUntil } from "./wait-until.ts";

/**
 * A process with a metrics store that sends on what it takes in, `<directory>
 * <url> <first round> <first time> <rounds>`: it appends round after round,
 * says so on standard output after each, and stays when it has done all.
 */
const [directory = "", url = "", firstRound = "0", firstMs = "0", rounds = "0"] = process.argv.slice(2);
const SERIES = 50;
const STEP_MS = 100;

const queueConfig = { maxSamplesPerSend: 120, batchSendDeadline: "100ms" };
const { metrics: config } = platformFile.parse({ metrics: { remoteWrite: [{ url, queueConfig }] } });
const clock = createSystemClock();
const metrics = createMetrics({ clock, log: silentLog });
const room = createMetricsRoom({
  ...{ dataDirectory: directory, config, clock, log: silentLog, metrics },
});
void room.start();
await waitUntil("the store", () => room.state().state === "ready");
for (let round = Number(firstRound); round < Number(rounds); round++) {
  const batch = createAppendBatch();
  for (let nth = 0; nth < SERIES; nth++) {
    const series = batch.addSeries([
      ["__name__", "work"],
      ["nth", String(nth)],
    ]);
    batch.addSample(series, Number(firstMs) + round * STEP_MS, round);
  }
  await room.store.append(batch.finish());
  writeSync(1, `${round}\n`);
}
