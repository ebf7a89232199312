import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, initialState, restartStage } from "./decide.ts";
import type { Command, Facts, RolloutPlan, RolloutState } from "./types.ts";
import { provenOf, weightOf } from "./weights.ts";

const plan: RolloutPlan = {
  stages: [
    { weight: 1000, bakeMs: 10_000 },
    { weight: 5000, bakeMs: 10_000 },
    { weight: 10_000, bakeMs: 0 },
  ],
  keepWarmMs: 60_000,
  gateDeadlineMs: 30_000,
  onTooLittleEvidence: "hold",
  hasStable: true,
  skips: ["backup", "migrating"],
};

function facts(patch: Partial<Facts> = {}): Facts {
  return {
    nowMs: 1000,
    settled: true,
    failure: null,
    note: null,
    undoBlocked: null,
    verdict: null,
    gates: [],
    command: null,
    ...patch,
  };
}

function at(name: RolloutState["name"], patch: Partial<RolloutState> = {}): RolloutState {
  return { name, stage: 0, enteredAtMs: 0, stageStartedAtMs: 0, pausedFrom: null, ...patch };
}

function goes(state: RolloutState, given: Facts, by: RolloutPlan = plan): RolloutState {
  const decision = decide(by, state, given);
  if (decision.kind !== "go") throw new Error(`expected a move, got ${decision.kind}: ${decision.because}`);
  return decision.to;
}

const verdict = (kind: "harm" | "no-harm" | "insufficient") => ({ kind, reason: kind });
const order = (name: Command) => ({ name, by: "ann", reason: null });

describe("a change on its way forward", () => {
  it("passes every state in order when all goes well, and none that its kind skips", () => {
    const seen: string[] = [];
    let state = initialState(0);
    for (let nowMs = 0; state.name !== "succeeded"; nowMs += 1000) {
      const decision = decide(plan, state, facts({ nowMs, verdict: verdict("no-harm") }));
      if (decision.kind === "go")
        seen.push(`${(state = decision.to).name}${state.name === "stepping" ? state.stage : ""}`);
    }
    expect(seen).toEqual([
      ...["locked", "preflight", "starting", "gating", "stepping0", "stepping1", "stepping2"],
      ...["baking", "draining", "succeeded"],
    ]);
  });

  it("does not move before the effects of its state have taken hold", () => {
    expect(decide(plan, at("starting"), facts({ settled: false })).kind).toBe("stay");
    expect(decide(plan, at("draining"), facts({ settled: false })).kind).toBe("stay");
  });

  it("keeps the old release warm for as long as the plan says", () => {
    expect(decide(plan, at("baking"), facts({ nowMs: 59_999 })).kind).toBe("stay");
    expect(goes(at("baking"), facts({ nowMs: 60_000 })).name).toBe("draining");
  });

  it("does not wait for a first release, which has nothing to keep warm", () => {
    expect(goes(at("baking"), facts(), { ...plan, hasStable: false }).name).toBe("draining");
  });
});

describe("the end of a stage", () => {
  const late = { nowMs: 10_000 };

  it("advances with a no-harm verdict, but never before the bake time is over", () => {
    expect(decide(plan, at("stepping"), facts({ nowMs: 9999, verdict: verdict("no-harm") })).kind).toBe(
      "stay",
    );
    expect(goes(at("stepping"), facts({ ...late, verdict: verdict("no-harm") }))).toMatchObject({
      stage: 1,
      stageStartedAtMs: 10_000,
    });
  });

  it("holds on too little evidence when the policy says hold, and advances when it says advance", () => {
    const unsure = facts({ ...late, verdict: verdict("insufficient") });
    expect(decide(plan, at("stepping"), unsure).kind).toBe("stay");
    expect(goes(at("stepping"), unsure, { ...plan, onTooLittleEvidence: "advance" }).stage).toBe(1);
  });

  it("asks for no verdict at 100 %, where there is nothing to compare with", () => {
    const last = at("stepping", { stage: 2 });
    expect(goes(last, facts({ verdict: verdict("insufficient") })).name).toBe("baking");
  });
});

describe("going back", () => {
  it("undoes at once on harm, in a stage, while paused in it, and while baking", () => {
    for (const state of [at("stepping"), at("paused", { pausedFrom: "stepping" }), at("baking")]) {
      expect(goes(state, facts({ verdict: verdict("harm") })).name).toBe("restoring-weights");
    }
  });

  it("undoes when the candidate fails, whatever it was doing", () => {
    for (const name of ["preflight", "starting", "gating", "stepping", "baking"] as const) {
      expect(goes(at(name), facts({ failure: "it crashed" })).name).toBe("restoring-weights");
    }
  });

  it("gives a candidate that never becomes healthy up at the deadline", () => {
    const waiting = facts({ settled: false, nowMs: 30_000 });
    expect(decide(plan, at("gating"), waiting).kind).toBe("stay");
    expect(goes(at("gating"), { ...waiting, nowMs: 30_001 }).name).toBe("restoring-weights");
  });

  it("ends at once when nothing had begun", () => {
    expect(goes(initialState(0), facts({ command: order("abort") })).name).toBe("undone");
    expect(goes(initialState(0), facts({ failure: "it serves already" })).name).toBe("undone");
  });

  it("restores the weights before it drains the candidate", () => {
    expect(decide(plan, at("restoring-weights"), facts({ settled: false })).kind).toBe("stay");
    expect(goes(at("restoring-weights"), facts()).name).toBe("draining-candidate");
    expect(goes(at("draining-candidate"), facts()).name).toBe("undone");
  });

  it("says that it is blocked instead of undoing when the schema has moved on", () => {
    const blocked = facts({
      failure: "it crashed",
      undoBlocked: "the old release cannot read the new schema",
    });
    const reason = "it crashed; the old release cannot read the new schema";
    const stuck = goes(at("stepping", { stage: 2 }), blocked);
    expect(stuck).toMatchObject({ name: "draining", blocked: reason });
    expect(decide(plan, stuck, facts({ settled: false })).kind).toBe("stay");
    const ended = goes(stuck, facts());
    expect(ended.name).toBe("undo-blocked");
    // What has the traffic keeps it.
    expect([weightOf(plan, stuck), weightOf(plan, ended), provenOf(plan, ended)]).toEqual([
      10_000, 10_000, 10_000,
    ]);
  });

  it("takes a candidate away that never had traffic, and says that the stable release may not run", () => {
    const blocked = facts({ failure: "it crashed", undoBlocked: "the schema has moved on" });
    expect(goes(at("gating", { stage: -1 }), blocked).name).toBe("restoring-weights");
    const ended = goes(at("draining-candidate"), blocked);
    expect(ended.name).toBe("undo-blocked");
    expect(weightOf(plan, ended)).toBe(0);
  });

  it("is refused to an operator when nothing is left to go back to", () => {
    const given = facts({ command: order("abort"), undoBlocked: "the schema has moved on" });
    expect(decide(plan, at("baking"), given)).toEqual({ kind: "refuse", because: "the schema has moved on" });
    expect(goes(at("gating", { stage: -1 }), given).name).toBe("restoring-weights");
  });

  it("does not turn back once the old release is being taken apart", () => {
    expect(decide(plan, at("draining"), facts({ settled: false, failure: "late" })).kind).toBe("stay");
    expect(decide(plan, at("draining"), facts({ command: order("abort") })).kind).toBe("refuse");
  });
});

describe("an operator", () => {
  it("can pause and resume, and the pause does not count as bake time", () => {
    const paused = goes(at("stepping"), facts({ nowMs: 4000, command: order("pause") }));
    expect(paused).toMatchObject({ name: "paused", pausedFrom: "stepping" });
    const resumed = goes(paused, facts({ nowMs: 104_000, command: order("resume") }));
    expect(resumed).toMatchObject({ name: "stepping", stageStartedAtMs: 100_000 });
    expect(decide(plan, resumed, facts({ nowMs: 109_999, verdict: verdict("no-harm") })).kind).toBe("stay");
    expect(goes(resumed, facts({ nowMs: 110_000, verdict: verdict("no-harm") })).stage).toBe(1);
  });

  it("can promote to the next stage or all the way", () => {
    expect(goes(at("stepping"), facts({ command: order("promote") })).stage).toBe(1);
    expect(goes(at("stepping"), facts({ command: order("promote-full") }))).toMatchObject({
      name: "stepping",
      stage: 2,
    });
    expect(goes(at("stepping", { stage: 2 }), facts({ command: order("promote-full") })).name).toBe("baking");
  });

  it("is refused when the command means nothing", () => {
    expect(decide(plan, at("starting"), facts({ command: order("promote") })).kind).toBe("refuse");
    expect(decide(plan, at("undone"), facts({ command: order("abort") })).kind).toBe("refuse");
    expect(decide(plan, at("stepping"), facts({ command: order("resume") })).kind).toBe("refuse");
  });
});

describe("weights", () => {
  it("fall back to the last passed stage", () => {
    expect(weightOf(plan, at("stepping", { stage: 1 }))).toBe(5000);
    expect(provenOf(plan, at("stepping", { stage: 1 }))).toBe(1000);
    expect(provenOf(plan, at("stepping"))).toBe(0);
    expect(provenOf(plan, at("baking", { stage: 2 }))).toBe(10_000);
  });

  it("stay as they are while paused", () => {
    expect(weightOf(plan, at("paused", { pausedFrom: "stepping", stage: 1 }))).toBe(5000);
  });

  it("go nowhere else for a first release", () => {
    const first = { ...plan, hasStable: false, stages: [{ weight: 10_000, bakeMs: 0 }] };
    expect(provenOf(first, at("stepping"))).toBe(10_000);
  });
});

describe("whatever happens", () => {
  const anyFacts = fc.record({
    nowMs: fc.integer({ min: 0, max: 200_000 }),
    settled: fc.boolean(),
    failure: fc.option(fc.constant("it failed")),
    note: fc.constant(null),
    undoBlocked: fc.constant(null),
    gates: fc.constant([]),
    verdict: fc.option(fc.constantFrom(verdict("harm"), verdict("no-harm"), verdict("insufficient"))),
    command: fc.option(
      fc.constantFrom(
        ...(["promote", "promote-full", "pause", "resume", "abort", "finish"] as const).map(order),
      ),
    ),
  });

  it("ends, never raises the weight by more than one stage without promote-full, and never serves both ways at once", () => {
    fc.assert(
      fc.property(fc.array(anyFacts, { maxLength: 60 }), (history) => {
        let state = initialState(0);
        let undoing = false;
        for (const given of history.toSorted((left, right) => left.nowMs - right.nowMs)) {
          const decision = decide(plan, state, given);
          if (decision.kind !== "go") continue;
          const isJump = given.command?.name === "promote-full";
          if (!isJump) expect(decision.to.stage - state.stage).toBeLessThanOrEqual(1);
          state = decision.to;
          undoing ||= state.name === "restoring-weights";
          if (undoing) expect(weightOf(plan, state)).toBe(0);
          expect(provenOf(plan, state)).toBeLessThanOrEqual(weightOf(plan, state));
        }
      }),
    );
  });

  it("restarts only the stage it was in", () => {
    expect(restartStage(at("stepping"), 5000).stageStartedAtMs).toBe(5000);
    const gating = at("gating");
    expect(restartStage(gating, 5000)).toBe(gating);
  });
});
