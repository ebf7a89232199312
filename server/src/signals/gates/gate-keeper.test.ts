import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformFile } from "@mainstay/api";
import { createVirtualClock, createSystemClock } from "../../kernel/clock.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { describe, expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import type { ChangeView } from "../../core/changes/index.ts";
import { createAppendBatch, createMetricsRoom, MetricsError, type MetricsStore } from "../metrics/index.ts";
import { createGateKeeper } from "./gate-keeper.ts";

const CHANGE = {
  ...{ id: "chg_1", kind: "release", service: "shop", environment: "production" },
  ...{ candidate: "rel_2", stable: "rel_1", position: { stage: 0 } },
} as ChangeView;

const ask = (store: Pick<MetricsStore, "query">, query: string, clock = createSystemClock()) =>
  createGateKeeper({ store, clock, log: silentLog }).ask(CHANGE, {
    ...{ name: "g", question: { kind: "threshold", query, min: null, max: 1 } },
    ...{ noData: "hold", forMs: 0, intervalMs: 1000 },
  });

async function openRoom(isUsable = true) {
  const dataDirectory = await mkdtemp(path.join(tmpdir(), "mainstay-gates-"));
  onTestFinished(() => rm(dataDirectory, { recursive: true, force: true }));
  if (!isUsable) await writeFile(path.join(dataDirectory, "metrics"), "in the way");
  const clock = createSystemClock();
  const room = createMetricsRoom({
    ...{ dataDirectory, clock, log: silentLog, metrics: createMetrics({ clock, log: silentLog }) },
    ...{ config: platformFile.parse({}).metrics },
  });
  void room.start();
  onTestFinished(() => room.stop());
  return room.store;
}

describe("asking the metrics store", () => {
  it("answers with the values of now, of the release that is named", async () => {
    const store = await openRoom();
    const batch = createAppendBatch();
    for (const [release, zone, value] of [
      ["rel_1", "a", 5],
      ["rel_2", "a", 2],
      ["rel_2", "b", 3],
    ] as const)
      batch.addSample(
        batch.addSeries([
          ["__name__", "busy"],
          ["release", release],
          ["zone", zone],
        ]),
        Date.now(),
        value,
      );
    await store.append(batch.finish());
    expect(await ask(store, 'sum(busy{release="$candidate"})')).toEqual({
      values: [{ labels: "", value: 5 }],
    });
    expect(await ask(store, 'sum by (zone) (busy{release="$candidate"})')).toEqual({
      values: [
        { labels: '{zone="a"}', value: 2 },
        { labels: '{zone="b"}', value: 3 },
      ],
    });
    expect(await ask(store, "vector(7) > 8")).toEqual({ values: [] });
    expect(await ask(store, "1/4")).toEqual({ values: [{ labels: "", value: 0.25 }] });
    expect(await ask(store, "busy[1m]")).toEqual({ none: "the query yields no numbers of one moment" });
  });

  it("has no data where the store cannot be opened", async () => {
    const answer = await ask(await openRoom(false), "up");
    expect(answer).toEqual({ none: expect.stringMatching(/^the metrics store is not running/) });
  });

  it("has no data where the store refuses or breaks", async () => {
    const refusing = (error: Error) => ({
      async query() {
        throw error;
      },
    });
    expect(await ask(refusing(new MetricsError("disk-full", "the disk is full")), "up")).toEqual({
      none: "the disk is full",
    });
    expect(await ask(refusing(new TypeError("secret path")), "up")).toEqual({
      none: "asking failed; the server's log says why",
    });
  });

  it("does not wait for a store that is silent", async () => {
    const clock = createVirtualClock();
    const answer = ask({ query: () => new Promise(() => {}) }, "up", clock);
    await clock.advance(6000);
    expect(await answer).toEqual({ none: "the metrics store did not answer within 6 s" });
  });
});
