import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import type { GateAnswer, GateResult, PlannedGate } from "./gate.ts";
import { gatesIn, weighGate } from "./gates.ts";
import type { Decision, Facts, RolloutPlan, RolloutState } from "./types.ts";

type Threshold = Extract<PlannedGate["question"], { kind: "threshold" }>;

const THRESHOLD: Threshold = { kind: "threshold", query: "p99", min: null, max: 0.5 };
const LATENCY: PlannedGate = {
  name: "latency",
  question: THRESHOLD,
  noData: "hold",
  forMs: 0,
  intervalMs: 10_000,
};
const QUEUE: PlannedGate = { ...LATENCY, name: "queue" };

function planWith(gates: PlannedGate[], ofFirstStage: PlannedGate[] = []): RolloutPlan {
  return {
    stages: [
      { weight: 1000, bakeMs: 10_000, gates: ofFirstStage },
      { weight: 10_000, bakeMs: 0 },
    ],
    keepWarmMs: 60_000,
    gateDeadlineMs: 30_000,
    onTooLittleEvidence: "hold",
    hasStable: true,
    gates,
    skips: [],
  };
}

const STEPPING: RolloutState = {
  ...{ name: "stepping", stage: 0, enteredAtMs: 0, stageStartedAtMs: 0, pausedFrom: null },
};

const numbers = (...values: number[]): GateAnswer => ({
  values: values.map((value, index) => ({ labels: values.length > 1 ? `{i="${index}"}` : "", value })),
});
const passed = (reason: string) => ({ state: "passed" as const, reason });
const broken = (reason: string) => ({ state: "broken" as const, reason });
const silent = (reason: string) => ({ state: "no-data" as const, reason });
const weigh = (gate: PlannedGate, answer: GateAnswer, nowMs = 5000, before: GateResult | null = null) =>
  weighGate(gate, answer, { before, nowMs });

function decideOn(plan: RolloutPlan, patch: Partial<Facts>, state = STEPPING): Decision {
  const unknown = { failure: null, note: null, undoBlocked: null, verdict: null, command: null };
  return decide(plan, state, { nowMs: 20_000, settled: true, gates: [], ...unknown, ...patch });
}

describe("an answer", () => {
  it.each<[string, Partial<Threshold>, GateAnswer, Pick<GateResult, "state" | "reason">]>([
    ["at its limit", {}, numbers(0.5), passed("0.5, at most 0.5")],
    ["above its limit", {}, numbers(0.51), broken("0.51, more than 0.5")],
    ["of several: the worst counts", {}, numbers(0.1, 0.9), broken('0.9 of {i="1"}, more than 0.5')],
    ["below a minimum", { max: null, min: 3 }, numbers(4, 2), broken('2 of {i="1"}, less than 3')],
    ["between both", { min: 0.1 }, numbers(0.3), passed("0.3, at most 0.5 and at least 0.1")],
    ["beyond all numbers", {}, numbers(Infinity), broken("Infinity, more than 0.5")],
    ["empty", {}, numbers(), silent("the query found nothing")],
    ["NaN", {}, numbers(NaN), silent("it came to NaN")],
    ["partly NaN", {}, numbers(NaN, 0.2), passed('0.2 of {i="1"}, at most 0.5')],
    ["none", {}, { none: "the store does not answer" }, silent("the store does not answer")],
  ])("%s", (_, limits, answer, expected) => {
    const gate = { ...LATENCY, question: { ...THRESHOLD, ...limits } };
    expect(weigh(gate, answer)).toMatchObject({ ...expected, atMs: 5000, sinceMs: 5000 });
  });

  it("that is like the one before lasts, unless nobody asked for long", () => {
    const first = weigh(LATENCY, numbers(), 1000);
    const second = weigh(LATENCY, numbers(), 11_000, first);
    expect(second).toMatchObject({ atMs: 11_000, sinceMs: 1000 });
    expect(weigh(LATENCY, numbers(1), 21_000, second)).toMatchObject({ state: "broken", sinceMs: 21_000 });
    expect(weigh(LATENCY, numbers(), 400_000, second)).toMatchObject({ sinceMs: 400_000 });
  });
});

describe("a change with gates", () => {
  it("has those of its stage beside those of the whole change, and at 100 % the latter alone", () => {
    const plan = planWith([LATENCY], [QUEUE]);
    const namesIn = (state: RolloutState) => gatesIn(plan, state).map((each) => each.name);
    expect(namesIn(STEPPING)).toEqual(["latency", "queue"]);
    expect(namesIn({ ...STEPPING, stage: 1 })).toEqual(["latency"]);
    expect(namesIn({ ...STEPPING, name: "paused", pausedFrom: "stepping" })).toEqual(["latency", "queue"]);
    expect(namesIn({ ...STEPPING, stage: 1, name: "baking" })).toEqual(["latency"]);
    expect(namesIn({ ...STEPPING, name: "gating" })).toEqual([]);
    expect(gatesIn({ ...plan, hasStable: false }, STEPPING)).toEqual([]);
  });

  it("compares both arms only while both have traffic", () => {
    const question = { kind: "comparison", bad: "b", total: "t" } as const;
    const plan = planWith([{ ...LATENCY, name: "checkout", question }]);
    const namesIn = (state: RolloutState) => gatesIn(plan, state).map((each) => each.name);
    expect(namesIn(STEPPING)).toEqual(["checkout"]);
    expect(namesIn({ ...STEPPING, stage: 1 })).toEqual([]);
    expect(namesIn({ ...STEPPING, stage: 1, name: "baking" })).toEqual([]);
  });

  it("goes on when all were passed in this stage, and says with which numbers", () => {
    const gates = [weigh(LATENCY, numbers(0.2))];
    expect(decideOn(planWith([LATENCY]), { gates })).toMatchObject({
      ...{ kind: "go", by: "clock", to: { stage: 1 } },
      reason: "bake time is over; gate latency: 0.2, at most 0.5",
    });
  });

  it("is undone when one fails, with the gate named, and not before it has failed for long enough", () => {
    const gates = [weigh(LATENCY, numbers(0.9))];
    expect(decideOn(planWith([LATENCY]), { gates, nowMs: 5000 })).toMatchObject({
      ...{ kind: "go", by: "gate", to: { name: "restoring-weights" } },
      reason: "gate latency failed: 0.9, more than 0.5",
    });
    const patient = planWith([{ ...LATENCY, forMs: 30_000 }]);
    expect(decideOn(patient, { gates, nowMs: 34_000 })).toMatchObject({
      because: "holds: gate latency fails: 0.9, more than 0.5",
    });
    expect(decideOn(patient, { gates, nowMs: 35_000 })).toMatchObject({
      reason: "gate latency failed: 0.9, more than 0.5, for 30 s",
    });
  });

  it("is undone by a gate while it bakes or is paused, too", () => {
    const gates = [weigh(LATENCY, numbers(0.9))];
    for (const state of [
      { ...STEPPING, stage: 1, name: "baking" as const },
      { ...STEPPING, name: "paused" as const, pausedFrom: "stepping" as const },
    ])
      expect(decideOn(planWith([LATENCY]), { gates }, state)).toMatchObject({ by: "gate" });
  });

  it.each([
    ["hold", 20_000, { because: "holds: gate latency has no data: the query found nothing" }],
    ["hold", 9_000_000, { because: "holds: gate latency has no data: the query found nothing" }],
    ["fail", 64_000, { because: "holds: gate latency has no data: the query found nothing" }],
    ["fail", 65_000, { by: "gate", reason: "gate latency has no data: the query found nothing, for 60 s" }],
    ["ignore", 20_000, { by: "clock", reason: "bake time is over; gate latency: no data" }],
  ] as const)(
    "without data and with noData: %s does as it was told after %i ms",
    (noData, nowMs, expected) => {
      const gates = [weigh(LATENCY, numbers())];
      expect(decideOn(planWith([{ ...LATENCY, noData }]), { gates, nowMs })).toMatchObject(expected);
    },
  );

  it("waits for an answer from this stage: those from before it began say nothing about it", () => {
    const gates = [weigh(LATENCY, numbers(0.2))];
    const later = { ...STEPPING, stageStartedAtMs: 6000 };
    expect(decideOn(planWith([LATENCY]), { gates }, later)).toMatchObject({
      because: "holds: gate latency was not asked in this stage yet",
    });
  });

  it("is promoted past a gate that holds it, as past a judge that does", () => {
    const command = { name: "promote" as const, by: "ann", reason: null };
    const gates = [weigh(LATENCY, numbers())];
    expect(decideOn(planWith([LATENCY]), { gates, command })).toMatchObject({ kind: "go", to: { stage: 1 } });
  });

  it("goes on undoing whatever its gates say", () => {
    const gates = [weigh(LATENCY, { none: "the store does not answer" })];
    const undoing = { ...STEPPING, name: "restoring-weights" as const };
    expect(decideOn(planWith([LATENCY]), { gates }, undoing)).toMatchObject({
      to: { name: "draining-candidate" },
    });
  });
});
