import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, initialState } from "./decide.ts";
import { planStrategy, type Strategy } from "./strategies.ts";
import type { Facts, RolloutPlan, RolloutState } from "./types.ts";
import { isInTraffic, provenOf, weightOf } from "./weights.ts";

const CANARY: Strategy = {
  name: "canary",
  stages: [
    { weight: 1000, bakeMs: 1000 },
    { weight: 10_000, bakeMs: 0 },
  ],
};
const rolling = (counts: { candidate: number; stable: number }, surge = 1, unavailable = 0): Strategy => ({
  name: "rolling",
  counts,
  settings: { maxSurge: surge, maxUnavailable: unavailable, bakeMs: 1000 },
});

function planOf(strategy: Strategy, { hasStable = true, isVerified = false } = {}): RolloutPlan {
  const { stages, keepWarmMs, verify } = planStrategy({
    strategy,
    hasStable,
    isVerified,
    keepWarmMs: 60_000,
  });
  return {
    ...{ stages, keepWarmMs, verify, hasStable },
    gateDeadlineMs: 30_000,
    onTooLittleEvidence: "hold",
    skips: ["backup", "migrating"],
  };
}

function facts(patch: Partial<Facts> = {}): Facts {
  const verdict = { kind: "no-harm", reason: "well" } as const;
  const nothing = { failure: null, note: null, undoBlocked: null, gates: [], command: null };
  return { nowMs: 0, settled: true, verdict, ...nothing, ...patch };
}

/** Every state on the way of a change that goes well. */
function walk(plan: RolloutPlan): RolloutState[] {
  const seen = [initialState(0)];
  for (let nowMs = 0; seen.at(-1)?.name !== "succeeded"; nowMs += 500) {
    const decision = decide(plan, seen.at(-1) ?? initialState(0), facts({ nowMs }));
    if (decision.kind === "go") seen.push(decision.to);
    if (nowMs > 10_000_000) throw new Error("it does not end");
  }
  return seen;
}

const namesOf = (states: RolloutState[]) =>
  states.map(({ name, stage }) => (name === "stepping" ? `stepping ${stage}` : name)).slice(3);

describe("a strategy as data", () => {
  it("canary passes its stages, and is verified once it has all traffic", () => {
    expect(namesOf(walk(planOf(CANARY, { isVerified: true })))).toEqual([
      ...["starting", "gating", "stepping 0", "stepping 1", "verifying", "baking", "draining", "succeeded"],
    ]);
  });

  it("blue-green is verified before it gets its first request, then gets all of them", () => {
    const states = walk(planOf({ name: "blue-green" }, { isVerified: true }));
    expect(namesOf(states)).toEqual([
      ...["starting", "gating", "verifying", "stepping 0", "baking", "draining", "succeeded"],
    ]);
    const plan = planOf({ name: "blue-green" }, { isVerified: true });
    expect(states.map((state) => weightOf(plan, state))).toEqual([
      0, 0, 0, 0, 0, 0, 10_000, 10_000, 10_000, 10_000,
    ]);
  });

  it("rolling starts and gates each batch, and gives it the share of its instances", () => {
    const plan = planOf(rolling({ candidate: 3, stable: 3 }), { isVerified: true });
    const batches = plan.stages.map(({ weight, instances }) => [weight, { ...instances, all: undefined }]);
    expect(batches).toEqual([
      [3333, { candidate: 1, room: 3, stable: 2 }],
      [6667, { candidate: 2, room: 2, stable: 1 }],
      [10_000, { candidate: 3, room: 1, stable: 0 }],
    ]);
    expect(namesOf(walk(plan))).toEqual([
      ...["starting", "gating", "stepping 0", "starting", "gating", "stepping 1", "starting", "gating"],
      ...["stepping 2", "verifying", "baking", "draining", "succeeded"],
    ]);
    expect(plan.keepWarmMs).toBe(0);
  });

  it("is at once when there is nothing to compare with", () => {
    for (const strategy of [CANARY, rolling({ candidate: 3, stable: 0 })]) {
      expect(planOf(strategy, { hasStable: false }).stages).toEqual([{ weight: 10_000, bakeMs: 0 }]);
    }
  });
});

const count = fc.integer({ min: 1, max: 40 });
const slack = fc
  .record({ surge: fc.nat(10), unavailable: fc.nat(10) })
  .filter(({ surge, unavailable }) => surge + unavailable > 0);

describe("rolling, whatever the counts", () => {
  it("rises to everybody, and never leaves the rest of the users without an instance", () => {
    fc.assert(
      fc.property(count, count, slack, (candidate, stable, { surge, unavailable }) => {
        const { stages } = planOf(rolling({ candidate, stable }, surge, unavailable));
        expect(stages.at(-1)).toMatchObject({ weight: 10_000, instances: { candidate, stable: 0 } });
        for (const [index, { weight, instances }] of stages.entries()) {
          expect(weight).toBeGreaterThan(stages[index - 1]?.weight ?? 0);
          expect((instances?.stable ?? 0) > 0).toBe(weight < 10_000);
        }
      }),
    );
  });

  it("keeps to maxSurge and maxUnavailable while a batch starts", () => {
    fc.assert(
      fc.property(count, slack, (size, { surge, unavailable }) => {
        const { stages } = planOf(rolling({ candidate: size, stable: size }, surge, unavailable));
        for (const [index, { instances }] of stages.entries()) {
          const { candidate = 0, room = 0 } = instances ?? {};
          const serving = (stages[index - 1]?.instances?.candidate ?? 0) + room;
          expect(candidate + room).toBeLessThanOrEqual(size + surge);
          expect(serving).toBeGreaterThanOrEqual(size - unavailable);
        }
      }),
    );
  });
});

const strategies = fc.oneof(
  fc.constantFrom<Strategy>(CANARY, { name: "blue-green" }, { name: "immediate" }),
  fc
    .tuple(count, count, slack)
    .map(([candidate, stable, { surge, unavailable }]) => rolling({ candidate, stable }, surge, unavailable)),
);

describe("any strategy", () => {
  it("can be undone from wherever it is in traffic, and ends with everybody on the stable release", () => {
    fc.assert(
      fc.property(strategies, fc.boolean(), fc.nat(200), (strategy, isVerified, at) => {
        const plan = planOf(strategy, { isVerified });
        const path = walk(plan).filter(
          (state) => !["requested", "draining", "succeeded"].includes(state.name),
        );
        let state = path[at % path.length] ?? initialState(0);
        const seen: string[] = [];
        for (let turn = 0; state.name !== "undone"; turn++) {
          const decision = decide(plan, state, facts({ failure: turn === 0 ? "it crashed" : null }));
          if (decision.kind !== "go") throw new Error(decision.because);
          state = decision.to;
          seen.push(state.name);
          if (state.name !== "restoring-instances") expect(weightOf(plan, state)).toBe(0);
        }
        const isRolling = plan.stages.some((stage) => stage.instances);
        const undo = ["restoring-weights", "draining-candidate", "undone"];
        expect(seen).toEqual(isRolling ? ["restoring-instances", ...undo] : undo);
      }),
    );
  });

  it("takes the users off the candidate at once, unless no stable instance is there to take them", () => {
    fc.assert(
      fc.property(count, count, slack, fc.nat(200), (candidate, stable, { surge, unavailable }, at) => {
        const plan = planOf(rolling({ candidate, stable }, surge, unavailable));
        const path = walk(plan).filter((state) => isInTraffic(plan, state) && state.name !== "draining");
        const from = path[at % path.length] ?? initialState(0);
        const decision = decide(plan, from, facts({ verdict: { kind: "harm", reason: "harm" } }));
        if (decision.kind !== "go") throw new Error(decision.because);
        const isBetween = from.name !== "stepping" && from.name !== "baking";
        const { room, stable: rest } = plan.stages[from.stage + (isBetween ? 1 : 0)]?.instances ?? {};
        const left = isBetween ? room : rest;
        expect(weightOf(plan, decision.to)).toBe(left === 0 ? weightOf(plan, from) : 0);
      }),
    );
  });

  it("falls back no further than to where a stable instance runs", () => {
    fc.assert(
      fc.property(strategies, (strategy) => {
        const plan = planOf(strategy);
        for (const state of walk(plan)) {
          expect(provenOf(plan, state)).toBeLessThanOrEqual(weightOf(plan, state));
          const stage = plan.stages[state.stage];
          if (state.name === "stepping" && stage?.instances?.stable === 0)
            expect(provenOf(plan, state)).toBe(10_000);
        }
      }),
    );
  });

  it("refuses to jump over the batches of a rolling change", () => {
    const plan = planOf(rolling({ candidate: 4, stable: 4 }));
    const state = { ...initialState(0), name: "stepping", stage: 0, stageStartedAtMs: 0 } as const;
    const command = { by: "ann", reason: null };
    expect(decide(plan, state, facts({ command: { ...command, name: "promote-full" } })).kind).toBe("refuse");
    expect(decide(plan, state, facts({ command: { ...command, name: "promote" } }))).toMatchObject({
      to: { name: "starting", stage: 0 },
    });
  });
});
