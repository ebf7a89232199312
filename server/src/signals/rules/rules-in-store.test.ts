import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { labelValue } from "@mainstay/metrics/model";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { createSystemClock } from "../../kernel/clock.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { createAppendBatch, createMetricsRoom } from "../metrics/index.ts";
import { createRules } from "./rules.ts";

const RULES = `groups:
  - name: shop
    interval: 1s
    rules:
      - { record: "zone:busy:sum", expr: sum by (zone) (busy), labels: { team: web } }
      - { record: "busy:max", expr: 'max(zone:busy:sum{team="web"})' }
`;

it("what is recorded can be asked for, and a rule builds on the one above it", async () => {
  const dataDirectory = await mkdtemp(path.join(tmpdir(), "mainstay-rules-"));
  onTestFinished(() => rm(dataDirectory, { recursive: true, force: true }));
  const clock = createSystemClock();
  const metrics = createMetrics({ clock, log: silentLog });
  const { metrics: config } = platformFile.parse({});
  const room = createMetricsRoom({
    ...{ dataDirectory, config, clock, log: silentLog, metrics },
  });
  void room.start();
  onTestFinished(() => room.stop());
  const { store } = room;
  const batch = createAppendBatch();
  for (const [zone, value] of Object.entries({ a: 3, b: 8 }))
    batch.addSample(
      batch.addSeries([
        ["__name__", "busy"],
        ["zone", zone],
      ]),
      Date.now(),
      value,
    );
  await store.append(batch.finish());
  const file = path.join(dataDirectory, "rules.yaml");
  await writeFile(file, RULES);
  const rules = createRules({ store, clock, log: silentLog, metrics, files: [file], intervalMs: 60_000 });
  await rules.start();
  onTestFinished(() => rules.stop());
  const found = await waitUntil("the answers of both rules", async () => {
    const { value } = await store.query({ query: '{__name__=~".*:.*"}' });
    return value.type === "vector" && value.samples.length === 3 && value.samples;
  });
  const told = found.map(({ labels, value }) => {
    const [name, zone] = ["__name__", "zone"].map((label) => labelValue(labels, label));
    return `${name} ${zone} ${JSON.stringify(value)}`;
  });
  const inOrder = told.toSorted((a, b) => (a < b ? -1 : 1));
  expect(inOrder).toEqual(["busy:max  8", "zone:busy:sum a 3", "zone:busy:sum b 8"]);
  expect(rules.problems()).toEqual([]);
});
