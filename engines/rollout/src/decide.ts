import type { Command, Decision, Facts, RolloutPlan, RolloutState, RolloutStateName } from "./types.ts";

const FORWARD: readonly RolloutStateName[] = [
  "requested",
  "locked",
  "preflight",
  "backup",
  "migrating",
  "starting",
  "gating",
  "stepping",
  "baking",
  "draining",
  "succeeded",
];
const FINAL: readonly RolloutStateName[] = ["succeeded", "undone", "undo-blocked"];
const UNDOING: readonly RolloutStateName[] = ["restoring-weights", "draining-candidate"];
/** Past this point the old arm is being taken apart: going back means another change. */
const CANNOT_UNDO: readonly RolloutStateName[] = ["draining", ...UNDOING, ...FINAL];

export function initialState(nowMs: number): RolloutState {
  return { name: "requested", stage: -1, enteredAtMs: nowMs, stageStartedAtMs: null, pausedFrom: null };
}

/** What a change does next, given what is known. Pure: the same input gives the same decision. */
export function decide(plan: RolloutPlan, state: RolloutState, facts: Facts): Decision {
  if (facts.command) return obey(plan, state, facts, facts.command);
  if (FINAL.includes(state.name)) return stay("it has ended");
  if (UNDOING.includes(state.name)) return continueUndo(state, facts);
  if (facts.failure && !CANNOT_UNDO.includes(state.name)) return undo(state, facts, "platform", facts.failure);
  if (facts.verdict?.kind === "harm" && isInTraffic(state)) return undo(state, facts, "judge", facts.verdict.reason);
  if (state.name === "paused") return stay("paused by an operator");
  if (!facts.settled) return gateOrWait(plan, state, facts);
  if (state.name === "stepping") return judgeStage(plan, state, facts);
  if (state.name === "baking") return finishBaking(plan, state, facts);
  return forward(plan, state, facts, "platform", REASONS[state.name] ?? "done");
}

const REASONS: Partial<Record<RolloutStateName, string>> = {
  requested: "the target is free",
  locked: "lock taken",
  preflight: "nothing speaks against it",
  starting: "the candidate's processes run",
  gating: "every instance passed its health gate",
  draining: "the old release is drained and stopped",
};

function gateOrWait(plan: RolloutPlan, state: RolloutState, facts: Facts): Decision {
  const late = state.name === "gating" && facts.nowMs - state.enteredAtMs > plan.gateDeadlineMs;
  if (!late) return stay("its effects have not taken hold yet");
  const seconds = Math.round(plan.gateDeadlineMs / 1000);
  return undo(state, facts, "platform", `the candidate was not healthy within ${seconds} s`);
}

function judgeStage(plan: RolloutPlan, state: RolloutState, facts: Facts): Decision {
  const stage = plan.stages[state.stage];
  if (!stage) throw new Error(`stage ${state.stage} is not in the plan`);
  const elapsedMs = facts.nowMs - (state.stageStartedAtMs ?? facts.nowMs);
  if (elapsedMs < stage.bakeMs) return stay(`bakes for another ${Math.ceil((stage.bakeMs - elapsedMs) / 1000)} s`);
  const isLast = state.stage === plan.stages.length - 1;
  if (isLast || !facts.verdict) return forward(plan, state, facts, "clock", "bake time is over");
  if (facts.verdict.kind === "no-harm") return forward(plan, state, facts, "judge", facts.verdict.reason);
  if (plan.onTooLittleEvidence === "hold") return stay(`holds until there is enough evidence: ${facts.verdict.reason}`);
  return forward(plan, state, facts, "clock", `bake time is over; advanced by policy: ${facts.verdict.reason}`);
}

function finishBaking(plan: RolloutPlan, state: RolloutState, facts: Facts): Decision {
  const elapsedMs = facts.nowMs - state.enteredAtMs;
  if (!plan.hasStable) return forward(plan, state, facts, "platform", "there is no older release to keep warm");
  if (elapsedMs >= plan.keepWarmMs) return forward(plan, state, facts, "clock", "the old release was kept warm long enough");
  return stay(`the old release stays warm for another ${Math.ceil((plan.keepWarmMs - elapsedMs) / 1000)} s`);
}

function forward(plan: RolloutPlan, state: RolloutState, facts: Facts, by: string, reason: string): Decision {
  const hasNextStage = state.name === "stepping" && state.stage < plan.stages.length - 1;
  const name = hasNextStage ? "stepping" : following(plan, state.name);
  const stage = name === "stepping" ? state.stage + 1 : state.stage;
  return go({ name, stage, enteredAtMs: facts.nowMs, stageStartedAtMs: startOf(name, state, facts), pausedFrom: null }, by, reason);
}

function startOf(name: RolloutStateName, state: RolloutState, facts: Facts): number | null {
  return name === "stepping" ? facts.nowMs : state.stageStartedAtMs;
}

function following(plan: RolloutPlan, name: RolloutStateName): RolloutStateName {
  const next = FORWARD.slice(FORWARD.indexOf(name) + 1).find((each) => !plan.skips.includes(each));
  if (!next) throw new Error(`nothing follows ${name}`);
  return next;
}

function undo(state: RolloutState, facts: Facts, by: string, reason: string): Decision {
  if (facts.undoBlocked) return go(moved(state, "undo-blocked", facts), by, `${reason}; ${facts.undoBlocked}`);
  return go(moved(state, "restoring-weights", facts), by, reason);
}

function continueUndo(state: RolloutState, facts: Facts): Decision {
  if (!facts.settled) return stay("its effects have not taken hold yet");
  if (state.name === "restoring-weights") {
    return go(moved(state, "draining-candidate", facts), "platform", "all traffic is back on the stable release");
  }
  return go(moved(state, "undone", facts), "platform", "the candidate is drained and stopped");
}

function obey(plan: RolloutPlan, state: RolloutState, facts: Facts, command: { name: Command; by: string; reason: string | null }): Decision {
  const because = command.reason ?? `${command.name} by ${command.by}`;
  const refuse: Decision = { kind: "refuse", because: `${command.name} means nothing while it is ${state.name}` };
  switch (command.name) {
    case "abort":
      return CANNOT_UNDO.includes(state.name) ? refuse : undo(state, facts, command.by, because);
    case "pause":
      return state.name === "stepping" || state.name === "baking"
        ? go({ ...state, name: "paused", pausedFrom: state.name, enteredAtMs: facts.nowMs }, command.by, because)
        : refuse;
    case "resume":
      return state.name === "paused" ? go(resumed(state, facts), command.by, because) : refuse;
    case "finish":
      return state.name === "baking" ? forward(plan, state, facts, command.by, because) : refuse;
    case "promote":
    case "promote-full":
      return promote(plan, state, facts, { by: command.by, because, full: command.name === "promote-full" }) ?? refuse;
  }
}

interface Promotion {
  by: string;
  because: string;
  full: boolean;
}

function promote(plan: RolloutPlan, state: RolloutState, facts: Facts, { by, because, full }: Promotion): Decision | null {
  const from = state.name === "paused" ? resumed(state, facts) : state;
  if (from.name !== "stepping" && from.name !== "baking") return null;
  if (!full || from.name === "baking") return forward(plan, from, facts, by, because);
  return forward(plan, { ...from, stage: Math.max(from.stage, plan.stages.length - 2) }, facts, by, because);
}

/** The time spent paused does not count as bake time. */
function resumed(state: RolloutState, facts: Facts): RolloutState {
  if (!state.pausedFrom) throw new Error("a paused change knows where it was paused");
  const pausedMs = facts.nowMs - state.enteredAtMs;
  const stageStartedAtMs = state.stageStartedAtMs === null ? null : state.stageStartedAtMs + pausedMs;
  return { ...state, name: state.pausedFrom, pausedFrom: null, enteredAtMs: facts.nowMs, stageStartedAtMs };
}

/** A server that comes back cannot know what the stage saw meanwhile: the stage starts anew. */
export function restartStage(state: RolloutState, nowMs: number): RolloutState {
  return state.name === "stepping" ? { ...state, stageStartedAtMs: nowMs } : state;
}

function isInTraffic(state: RolloutState): boolean {
  const name = state.name === "paused" ? state.pausedFrom : state.name;
  return name === "stepping" || name === "baking";
}

function moved(state: RolloutState, name: RolloutStateName, facts: Facts): RolloutState {
  return { ...state, name, enteredAtMs: facts.nowMs, pausedFrom: null };
}

function stay(because: string): Decision {
  return { kind: "stay", because };
}

function go(to: RolloutState, by: string, reason: string): Decision {
  return { kind: "go", to, by, reason };
}
