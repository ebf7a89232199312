import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide, initialState, isPassed, restartStage } from "./decide.ts";
import type { Command, Facts, PlannedHook, RolloutPlan, RolloutState } from "./types.ts";
import { weightOf } from "./weights.ts";

const hook = (when: PlannedHook["when"], state: PlannedHook["state"]) => ({ when, state, what: "x" });
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
  hooks: [hook("after", "gating"), hook("before", "stepping"), hook("before", "baking")],
};
const NOTHING = { failure: null, note: null, undoBlocked: null, verdict: null, gates: [], command: null };
const facts = (patch: Partial<Facts> = {}): Facts => ({ nowMs: 1000, settled: true, ...NOTHING, ...patch });
const order = (name: Command) => ({ name, by: "ann", reason: null });

function at(name: RolloutState["name"], patch: Partial<RolloutState> = {}): RolloutState {
  return { name, stage: 0, enteredAtMs: 0, stageStartedAtMs: 0, pausedFrom: null, ...patch };
}

function goes(state: RolloutState, given: Facts): RolloutState {
  const decision = decide(plan, state, given);
  if (decision.kind !== "go") throw new Error(`expected a move, got ${decision.kind}: ${decision.because}`);
  return decision.to;
}

const gated = () => goes(at("gating", { stage: -1 }), facts());

describe("a change with hooks between two states", () => {
  it("stays where it was until they have run, and what they took is no bake time", () => {
    const leaving = gated();
    expect(leaving).toMatchObject({ name: "gating", stage: -1, leaving: { name: "stepping", stage: 0 } });
    expect(weightOf(plan, leaving)).toBe(0);
    const running = facts({ settled: false, nowMs: 50_000 });
    expect(decide(plan, leaving, running)).toEqual({ kind: "stay", because: "its hooks run" });
    const note = "before stepping succeeded";
    const decision = decide(plan, leaving, facts({ nowMs: 50_000, note }));
    expect(decision).toMatchObject({ kind: "go", by: "platform", reason: note });
    expect(goes(leaving, facts({ nowMs: 50_000 }))).toEqual(
      at("stepping", { enteredAtMs: 50_000, stageStartedAtMs: 50_000 }),
    );
  });

  it("goes on at once where none stand", () => {
    expect(goes(at("starting", { stage: -1 }), facts())).toMatchObject({ name: "gating" });
    expect(goes(at("starting", { stage: -1 }), facts()).leaving).toBeUndefined();
  });

  it("is undone by a hook that fails, and by harm that shows meanwhile", () => {
    const undone = goes(gated(), facts({ settled: false, failure: "the hook failed" }));
    expect(undone).toMatchObject({ name: "restoring-weights", undoneFrom: "gating" });
    expect(undone.leaving).toBeUndefined();
    const last = { name: "stepping", stage: 2, leaving: at("baking", { stage: 2 }) } as const;
    const harm = { kind: "harm", reason: "errors" } as const;
    expect(goes(at("stepping", last), facts({ verdict: harm })).name).toBe("restoring-weights");
  });

  it("counts as checked when the hooks after its pre-flight run", () => {
    const leaving = at("preflight", { stage: -1, leaving: at("starting", { stage: -1 }) });
    expect(goes(leaving, facts({ failure: "the hook failed" })).undoneFrom).toBe("starting");
    expect(goes(at("preflight", { stage: -1 }), facts({ failure: "no" })).undoneFrom).toBe("preflight");
  });

  it("waits for them also when an operator promotes it, with the share it had", () => {
    const full = goes(at("stepping"), facts({ command: order("promote-full") }));
    expect(full).toMatchObject({ name: "stepping", stage: 0, leaving: { name: "stepping", stage: 2 } });
    expect(weightOf(plan, full)).toBe(1000);
    for (const name of ["promote", "promote-full"] as const)
      expect(decide(plan, full, facts({ command: order(name) })).kind).toBe("refuse");
  });

  it("can be paused while they run, and goes where it was going when it is resumed", () => {
    const leaving = goes(at("stepping"), facts({ command: order("promote") }));
    const paused = goes(leaving, facts({ command: order("pause") }));
    expect(decide(plan, paused, facts({ nowMs: 9000 })).kind).toBe("stay");
    const resumed = goes(paused, facts({ nowMs: 9000, command: order("resume") }));
    expect(goes(resumed, facts({ nowMs: 9500 }))).toMatchObject({ name: "stepping", stage: 1 });
  });

  it("does not start its stage anew when the server comes back: the stage is over", () => {
    const leaving = goes(at("stepping"), facts({ command: order("promote") }));
    expect(restartStage(leaving, 5000)).toBe(leaving);
  });

  it("waits for no hook on its way back", () => {
    expect(goes(at("restoring-weights"), facts()).name).toBe("draining-candidate");
    const told = decide(plan, at("draining-candidate"), facts({ note: "a hook failed" }));
    expect(told).toMatchObject({ reason: "the candidate is drained and stopped; a hook failed" });
  });

  it("ends with the same states as one without, whatever happens in between", () => {
    const bare = { ...plan, hooks: [] };
    const walk = (by: RolloutPlan, given: Facts[]) => {
      const seen: string[] = [];
      let state = initialState(0);
      for (const each of given) {
        // Hooks take no time here: what is decided is where they stand in the way.
        for (let turn = 0; turn < 2; turn++) {
          const decision = decide(by, state, turn === 0 ? each : facts({ nowMs: each.nowMs }));
          if (turn === 1 && !state.leaving) break;
          if (decision.kind === "go") state = decision.to;
        }
        seen.push(`${state.name} ${state.stage} ${weightOf(by, state)}`);
      }
      return seen;
    };
    const anyFacts = fc.record({
      nowMs: fc.integer({ min: 0, max: 200_000 }),
      settled: fc.boolean(),
      failure: fc.option(fc.constant("it failed"), { freq: 20 }),
      verdict: fc.option(fc.constant({ kind: "no-harm", reason: "fine" } as const)),
      command: fc.option(fc.constantFrom(...(["promote", "abort", "finish"] as const).map(order))),
    });
    fc.assert(
      fc.property(fc.array(anyFacts, { maxLength: 40 }), (history) => {
        const given = history.toSorted((left, right) => left.nowMs - right.nowMs).map((each) => facts(each));
        expect(walk(plan, given)).toEqual(walk(bare, given));
      }),
    );
  });
});

describe("the stable release on the schema of an expanding command", () => {
  const expanding: RolloutPlan = {
    ...plan,
    hooks: [],
    skips: ["backup"],
    rehearsal: { process: "web", deadlineMs: 60_000 },
  };

  it("is rehearsed between the command and the candidate, out of traffic", () => {
    const to = (state: RolloutState) => {
      const decision = decide(expanding, state, facts());
      return decision.kind === "go" ? decision.to : state;
    };
    const rehearsing = to(at("migrating", { stage: -1 }));
    expect(rehearsing.name).toBe("rehearsing");
    expect(weightOf(expanding, rehearsing)).toBe(0);
    expect(to(rehearsing).name).toBe("starting");
  });

  it("undoes the change when it does not start", () => {
    const decision = decide(expanding, at("rehearsing", { stage: -1 }), facts({ failure: "it crashed" }));
    expect(decision).toMatchObject({ kind: "go", to: { name: "restoring-weights" } });
  });

  it("is not rehearsed in a plan that does not ask for it", () => {
    expect(isPassed(expanding, "rehearsing")).toBe(true);
    expect(isPassed({ ...expanding, rehearsal: null }, "rehearsing")).toBe(false);
    expect(isPassed(expanding, "backup")).toBe(false);
    expect(isPassed(expanding, "restoring-instances")).toBe(false);
  });
});
