import type { Counters } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import type { ChangeView } from "../../core/changes/index.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import { createTrafficSampler } from "./sampler.ts";

const BOUNDS_MS = [1, 10, 100];
const change = { id: "chg_1", service: "shop", environment: "production" } as ChangeView;
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };

interface Cumulative {
  total: number;
  errors: number;
  /** Requests per latency bucket. */
  latency: number[];
}

/** Counters in which only group 0 has requests. */
function reading(
  second: number,
  arms: { stable: Cumulative; candidate?: Cumulative },
  bootId = "boot",
): Counters {
  const spread = (value: number) => [value, ...Array.from({ length: 19 }, () => 0)];
  const toArm = (arm: "stable" | "candidate", { total, errors, latency }: Cumulative) => ({
    arm,
    release: `rel_${arm}`,
    total: spread(total),
    errors: spread(errors),
    latency: [latency, ...Array.from({ length: 19 }, () => [0, 0, 0, 0])],
    latencySumMs: 0,
  });
  const both = [
    toArm("stable", arms.stable),
    ...(arms.candidate ? [toArm("candidate", arms.candidate)] : []),
  ];
  return {
    bootId,
    at: new Date(second * 1000).toISOString(),
    latencyBoundsMs: BOUNDS_MS,
    services: [{ service: "shop", environment: "production", change: "chg_1", arms: both }],
    requests: [],
    lost: {},
    attempts: [],
    refused: {},
    sentAway: {},
    held: 0,
    aborted: 0,
    unrouted: 0,
    inflight: 0,
  };
}

async function sample(readings: Counters[]) {
  const clock = createVirtualClock();
  let next = 0;
  const agent = { counters: async () => readings[Math.min(next++, readings.length - 1)] as Counters };
  const sampler = createTrafficSampler({ agent, clock, log: silent });
  await sampler.start();
  for (let second = 1; second < readings.length; second++) await clock.advance(1000);
  await sampler.stop();
  return sampler;
}

const idle = { total: 0, errors: 0, latency: [0, 0, 0, 0] };

describe("the traffic signal", () => {
  it("answers what happened in each second, per arm and group", async () => {
    const sampler = await sample([
      reading(0, { stable: idle }),
      reading(1, { stable: { ...idle, total: 10, errors: 1 }, candidate: { ...idle, total: 2, errors: 2 } }),
      reading(2, { stable: { ...idle, total: 30, errors: 1 }, candidate: { ...idle, total: 5, errors: 2 } }),
    ]);
    const blocks = await sampler.counts({ change, metric: { name: "errors" }, sinceMs: 0 });
    expect(
      blocks.map((each) => [each.fromMs, each.atMs, each.stable.total[0], each.candidate.bad[0]]),
    ).toEqual([
      [0, 1000, 10, 2],
      [1000, 2000, 20, 0],
    ]);
    expect(await sampler.counts({ change, metric: { name: "errors" }, sinceMs: 1000 })).toHaveLength(1);
  });

  it("calls slow what is above the stable arm's p95 of earlier seconds, once that is known", async () => {
    const sampler = await sample([
      reading(0, { stable: idle }),
      reading(1, { stable: { ...idle, latency: [300, 0, 0, 0] } }),
      reading(2, {
        stable: { ...idle, latency: [300, 0, 5, 0] },
        candidate: { ...idle, latency: [1, 7, 0, 0] },
      }),
    ]);
    const blocks = await sampler.counts({ change, metric: { name: "latency" }, sinceMs: 0 });
    expect(blocks).toHaveLength(1);
    expect(blocks[0]).toMatchObject({ atMs: 2000 });
    expect([blocks[0]?.stable.bad[0], blocks[0]?.candidate.total[0], blocks[0]?.candidate.bad[0]]).toEqual([
      5, 8, 7,
    ]);
  });

  it("counts against an absolute threshold from the first second", async () => {
    const candidate = { ...idle, latency: [1, 2, 4, 8] };
    const sampler = await sample([reading(0, { stable: idle }), reading(1, { stable: idle, candidate })]);
    const metric = { name: "slower-than", thresholdMs: 50 } as const;
    const [block] = await sampler.counts({ change, metric, sinceMs: 0 });
    expect([block?.candidate.total[0], block?.candidate.bad[0]]).toEqual([15, 8]);
  });

  it("leaves the stretch out in which the agent began to count anew", async () => {
    const sampler = await sample([
      reading(0, { stable: { ...idle, total: 1000 } }),
      reading(1, { stable: { ...idle, total: 5 } }, "other"),
      reading(2, { stable: { ...idle, total: 9 } }, "other"),
    ]);
    const blocks = await sampler.counts({ change, metric: { name: "errors" }, sinceMs: 0 });
    expect(blocks.map((each) => each.stable.total[0])).toEqual([4]);
  });

  it("knows nothing of another change", async () => {
    const sampler = await sample([
      reading(0, { stable: idle }),
      reading(1, { stable: { ...idle, total: 3 } }),
    ]);
    const question = { change: { ...change, id: "chg_2" }, metric: { name: "errors" }, sinceMs: 0 } as const;
    expect(await sampler.counts(question)).toEqual([]);
  });
});
