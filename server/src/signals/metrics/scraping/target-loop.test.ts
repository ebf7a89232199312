import { describe, expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../../tests/support/log.ts";
import { createVirtualClock } from "../../../kernel/clock.ts";
import type { ScrapeOutcome, ScrapeRequest, TargetSpec } from "./scrape-sink.ts";
import { startTargetLoop, timestampOf, type LoopTarget } from "./target-loop.ts";

const START_MS = 1_800_000_000_000;
const SPEC: TargetSpec = {
  origin: "outside",
  ...{ labels: { job: "shop" }, honorLabels: false, honorTimestamps: true, relabelRules: [], sampleLimit: 0 },
  limits: { labels: 0, nameLength: 0, valueLength: 0 },
};
const WELL: ScrapeOutcome = { error: null, refused: [] };

function start(
  ask: LoopTarget["ask"],
  takeScrape: (request: ScrapeRequest) => Promise<ScrapeOutcome> = async () => WELL,
) {
  const clock = createVirtualClock(START_MS);
  const taken: ScrapeRequest[] = [];
  const ended: number[] = [];
  const refused: string[] = [];
  const sink = {
    takeScrape(request: ScrapeRequest) {
      taken.push(request);
      return takeScrape(request);
    },
    endTarget: async ({ atMs }: { atMs: number }) => void ended.push(atMs),
  };
  const loop = startTargetLoop(
    { id: "shop a:1", job: "shop", intervalMs: 10_000, spec: SPEC, ask },
    {
      ...{ clock, log: silentLog, sink, seed: "here" },
      onRefused: (job, reason, count) => refused.push(`${job} ${reason} ${count}`),
    },
  );
  onTestFinished(() => loop.stop(false));
  return { clock, loop, taken, ended, refused };
}

const answer = async () => ({ text: "a 1\n", format: "prometheus" as const });

describe("the scrapes of a target", () => {
  it("come once in every interval, always at the same point of it", async () => {
    const { clock, taken } = start(answer);
    await clock.advance(35_000);
    const times = taken.map(({ atMs }) => atMs);
    expect(times.length).toBeGreaterThanOrEqual(3);
    expect(new Set(times.map((atMs) => atMs % 10_000)).size).toBe(1);
    expect(times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0))).toEqual(
      times.slice(1).map(() => 10_000),
    );
  });

  it("never overlap: one that takes long leaves turns out", async () => {
    let running = 0;
    const { clock, taken } = start(async () => {
      expect((running += 1)).toBe(1);
      await clock.sleep(25_000);
      running -= 1;
      return answer();
    });
    await clock.advance(95_000);
    expect(taken.map(({ atMs }, index) => atMs - (taken[0]?.atMs ?? 0) - index * 30_000)).toEqual([0, 0, 0]);
    expect(taken[0]?.durationMs).toBe(25_000);
  });

  it("tell how it went, and that there is no answer", async () => {
    const outcomes = [async () => Promise.reject(new Error("connection refused")), answer];
    const { clock, loop, taken } = start(() => (outcomes.shift() ?? answer)());
    expect(loop.health()).toMatchObject({ health: "unknown", lastError: null, lastScrapeMs: null });
    await clock.advance(10_000);
    expect(taken[0]?.answer).toEqual({ error: "connection refused" });
    await clock.advance(10_000);
    expect(loop.health()).toMatchObject({ health: "up", lastError: null, lastDurationMs: 0 });
  });

  it("are down when what was answered cannot be read or kept", async () => {
    const outcomes = [
      async () => ({ error: "line 1: no value", refused: [] }),
      async () => Promise.reject(new Error("the disk is full")),
    ];
    const { clock, loop } = start(answer, () => (outcomes.shift() ?? (async () => WELL))());
    await clock.advance(10_000);
    expect(loop.health()).toMatchObject({ health: "down", lastError: "line 1: no value" });
    await clock.advance(10_000);
    expect(loop.health().lastError).toBe("the answer could not be kept: the disk is full");
    await clock.advance(10_000);
    expect(loop.health()).toMatchObject({ health: "up", lastError: null });
  });

  it("count and tell what the store did not take, and are up all the same", async () => {
    const refusal = { what: "sample", reason: "duplicate", count: 3, message: "a 1" } as const;
    const { clock, loop, refused } = start(answer, async () => ({ error: null, refused: [refusal] }));
    await clock.advance(10_000);
    expect(refused).toEqual(["shop duplicate 3"]);
    const lastError = "3 samples refused (duplicate), such as: a 1";
    expect(loop.health()).toMatchObject({ health: "up", lastError });
  });
});

describe("the end of a target", () => {
  it("is told when it is gone, and not when the server stops", async () => {
    const gone = start(answer);
    await gone.clock.advance(12_000);
    await gone.loop.stop(true);
    expect(gone.ended).toEqual([START_MS + 12_000]);
    const stopped = start(answer);
    await stopped.loop.stop(false);
    await stopped.clock.advance(30_000);
    expect(stopped).toMatchObject({ ended: [], taken: [] });
  });

  it("takes nothing from a scrape that was under way", async () => {
    const { clock, loop, taken } = start((signal) => {
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("gone"))));
    });
    await clock.advance(10_000);
    await loop.stop(true);
    expect(taken).toEqual([]);
  });
});

it("a scrape is written at the time that was planned unless it began late", () => {
  expect(timestampOf(15_001.6, 15_000)).toBe(15_000);
  expect(timestampOf(15_010, 15_000)).toBe(15_010);
});
