import { platformFile } from "@mainstay/api";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../../tests/support/log.ts";
import { createTemporaryDirectory } from "../../../../../tests/support/temporary.ts";
import { createSystemClock } from "../../../kernel/clock.ts";
import { createMetrics } from "../../../kernel/metrics.ts";
import { createMetricsRoom } from "../metrics.ts";
import type { ScrapeRequest } from "../scraping/scrape-sink.ts";

it("scrapes are taken in by the thread of the store, which marks what ends", async () => {
  const directory = createTemporaryDirectory();
  const clock = createSystemClock();
  const room = createMetricsRoom({
    ...{ dataDirectory: directory.path, config: platformFile.parse({}).metrics, clock, log: silentLog },
    ...{ metrics: createMetrics({ clock, log: silentLog }) },
  });
  await room.start();
  onTestFinished(async () => {
    await room.stop();
    directory.remove();
  });
  const nowMs = clock.now().getTime();
  const request = (text: string, atMs: number): ScrapeRequest => ({
    ...{ id: "shop a:1", atMs, durationMs: 5, answer: { text, format: "prometheus" } },
    spec: {
      origin: "outside",
      ...{ labels: { job: "shop" }, honorLabels: false, honorTimestamps: true, sampleLimit: 0 },
      ...{ relabelRules: [], limits: { labels: 0, nameLength: 0, valueLength: 0 } },
    },
  });
  const { store } = room;
  expect(await store.takeScrape(request("a 1\nb 2\n", nowMs - 20_000))).toEqual({ error: null, refused: [] });
  expect(await store.takeScrape(request("a 1\n", nowMs - 10_000))).toEqual({ error: null, refused: [] });
  const repeated = await store.takeScrape(request("a 2\n", nowMs - 10_000));
  expect(repeated.refused).toMatchObject([{ reason: "duplicate" }]);
  expect(await store.takeScrape(request("a\n", nowMs - 5_000))).toMatchObject({ error: "line 1: no value" });

  const namesAt = async (timeMs: number) => {
    const { value } = await store.query({ query: '{job="shop",__name__=~"a|b|up"}', timeMs });
    if (value.type !== "vector") throw new Error("no vector");
    return value.samples.map(({ labels, value: each }) => `${labels.values[0]} ${Number(each)}`).toSorted();
  };
  expect(await namesAt(nowMs - 20_000)).toEqual(["a 1", "b 2", "up 1"]);
  expect(await namesAt(nowMs - 10_000)).toEqual(["a 1", "up 1"]);
  expect(await namesAt(nowMs - 5_000)).toEqual(["up 0"]);
  await store.endTarget({ id: "shop a:1", atMs: nowMs });
  expect(await namesAt(nowMs)).toEqual([]);
});
