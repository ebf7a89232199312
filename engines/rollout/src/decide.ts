import { gateObstacle, gateTrouble, gateWords } from "./gates.ts";
import type { Command, Decision, Facts, RolloutPlan, RolloutState, RolloutStateName } from "./types.ts";
import { actualName, isInTraffic } from "./weights.ts";

const BEFORE_TRAFFIC: readonly RolloutStateName[] = [
  "requested",
  "locked",
  "preflight",
  "backup",
  "migrating",
  "rehearsing",
  "starting",
  "gating",
];
const AFTER_TRAFFIC: readonly RolloutStateName[] = ["baking", "draining", "succeeded"];
const FINAL: readonly RolloutStateName[] = ["succeeded", "undone", "undo-blocked"];
const UNDOING: readonly RolloutStateName[] = [
  "restoring-instances",
  "restoring-weights",
  "draining-candidate",
];
/** Past this point the old arm is being taken apart: going back means another change. */
const CANNOT_UNDO: readonly RolloutStateName[] = ["draining", ...UNDOING, ...FINAL];

const MOVING: readonly Command[] = ["promote", "promote-full", "finish"];

interface Situation {
  plan: RolloutPlan;
  state: RolloutState;
  facts: Facts;
}

/** Who moves a change on, and why. */
interface Cause {
  by: string;
  reason: string;
}

export function initialState(nowMs: number): RolloutState {
  return { name: "requested", stage: -1, enteredAtMs: nowMs, stageStartedAtMs: null, pausedFrom: null };
}

/** What a change does next, given what is known. Pure: the same input gives the same decision. */
export function decide(plan: RolloutPlan, state: RolloutState, facts: Facts): Decision {
  const situation = { plan, state, facts };
  if (facts.command) return obey(situation, facts.command);
  if (FINAL.includes(state.name)) return stay("it has ended");
  if (UNDOING.includes(state.name)) return continueUndo(situation);
  const trouble = findTrouble(situation);
  if (trouble) return undo(situation, trouble);
  if (state.name === "paused") return stay("paused by an operator");
  if (!facts.settled) return stay(state.leaving ? "its hooks run" : "its effects have not taken hold yet");
  if (state.leaving) return arrive(state.leaving, facts);
  if (state.name === "stepping") return judgeStage(situation);
  if (state.name === "baking") return finishBaking(situation);
  if (state.name === "draining" && state.blocked !== undefined) return endBlocked(situation, state.blocked);
  return forward(situation, { by: "platform", reason: facts.note ?? REASONS[state.name] ?? "done" });
}

const REASONS: Partial<Record<RolloutStateName, string>> = {
  requested: "the target is free",
  locked: "lock taken",
  preflight: "nothing speaks against it",
  migrating: "the release command succeeded",
  rehearsing: "the stable release could still start",
  starting: "the candidate's processes run",
  gating: "every instance passed its health gate",
  verifying: "every endpoint answered as it should",
  draining: "the old release is drained and stopped",
};

/** Why the change must be undone now; null when nothing demands it. */
function findTrouble({ plan, state, facts }: Situation): Cause | null {
  if (CANNOT_UNDO.includes(state.name)) return null;
  if (facts.failure) return { by: "platform", reason: facts.failure };
  const isHarmful = facts.verdict?.kind === "harm" && isInTraffic(plan, state);
  if (isHarmful) return { by: "judge", reason: facts.verdict?.reason ?? "harm" };
  const gate = gateTrouble(standing({ plan, state, facts }));
  if (gate !== null) return { by: "gate", reason: gate };
  const isLate =
    state.name === "gating" && !state.leaving && facts.nowMs - state.enteredAtMs > plan.gateDeadlineMs;
  if (!isLate || facts.settled) return null;
  return {
    by: "platform",
    reason: `the candidate was not healthy within ${Math.round(plan.gateDeadlineMs / 1000)} s`,
  };
}

function judgeStage(situation: Situation): Decision {
  const { plan, state, facts } = situation;
  const stage = plan.stages[state.stage];
  if (!stage) throw new Error(`stage ${state.stage} is not in the plan`);
  const restMs = stage.bakeMs - (facts.nowMs - (state.stageStartedAtMs ?? facts.nowMs));
  if (restMs > 0) return stay(`bakes for another ${Math.ceil(restMs / 1000)} s`);
  const isLast = state.stage === plan.stages.length - 1;
  const obstacle = gateObstacle(standing(situation));
  if (obstacle !== null) return stay(`holds: ${obstacle}`);
  const { verdict } = facts;
  const pass = (by: string, reason: string) =>
    forward(situation, { by, reason: withGates(situation, reason) });
  if (isLast || !verdict) return pass("clock", "bake time is over");
  if (verdict.kind === "no-harm") return pass("judge", verdict.reason);
  if (plan.onTooLittleEvidence === "hold")
    return stay(`holds until there is enough evidence: ${verdict.reason}`);
  return pass("clock", `bake time is over; advanced by policy: ${verdict.reason}`);
}

function standing({ plan, state, facts: { gates: results, nowMs } }: Situation) {
  return { plan, state, results, nowMs };
}

/** A reason with the numbers of the gates behind it. */
function withGates(situation: Situation, reason: string): string {
  const gates = gateWords(standing(situation));
  return gates === "" ? reason : `${reason}; ${gates}`;
}

function finishBaking(situation: Situation): Decision {
  const { plan, state, facts } = situation;
  if (!plan.hasStable)
    return forward(situation, { by: "platform", reason: "there is no older release to keep warm" });
  const restMs = plan.keepWarmMs - (facts.nowMs - state.enteredAtMs);
  if (restMs > 0) return stay(`the old release stays warm for another ${Math.ceil(restMs / 1000)} s`);
  return forward(situation, { by: "clock", reason: "the old release was kept warm long enough" });
}

/** To the state that follows; where hooks stand in between, it stays in `from` until they have run. */
function forward({ plan, state, facts }: Situation, cause: Cause, from = state): Decision {
  const name = following(plan, state);
  const isStepping = name === "stepping";
  const to: RolloutState = {
    name,
    stage: isStepping ? state.stage + 1 : state.stage,
    enteredAtMs: facts.nowMs,
    stageStartedAtMs: isStepping ? facts.nowMs : state.stageStartedAtMs,
    pausedFrom: null,
  };
  const hasHooks = plan.hooks?.some((each) => each.state === (each.when === "after" ? from.name : name));
  return go(cause, hasHooks ? { ...from, leaving: to } : to);
}

/** What the hooks took counts neither as bake time nor against a deadline. */
function arrive(to: RolloutState, { nowMs, note }: Facts): Decision {
  const stageStartedAtMs = to.name === "stepping" ? nowMs : to.stageStartedAtMs;
  const cause = { by: "platform", reason: note ?? "its hooks have run" };
  return go(cause, { ...to, enteredAtMs: nowMs, stageStartedAtMs });
}

function following(plan: RolloutPlan, { name, stage }: RolloutState): RolloutStateName {
  const nextStage = plan.stages[stage + 1];
  if (name === "stepping" && nextStage) return nextStage.instances ? "starting" : "stepping";
  // The second batch and all after it: what comes before the traffic was done with the first.
  if (name === "gating" && stage >= 0) return "stepping";
  const order = orderOf(plan);
  const next = order.slice(order.indexOf(name) + 1).find((each) => !plan.skips.includes(each));
  if (!next) throw new Error(`nothing follows ${name}`);
  return next;
}

/** Every state of a change that goes well, each once. */
function orderOf({ verify, rehearsal }: RolloutPlan): RolloutStateName[] {
  const first = rehearsal ? BEFORE_TRAFFIC : BEFORE_TRAFFIC.filter((each) => each !== "rehearsing");
  const before: RolloutStateName[] = verify === "before-traffic" ? ["verifying"] : [];
  const after: RolloutStateName[] = verify === "after-traffic" ? ["verifying"] : [];
  return [...first, ...before, "stepping", ...after, ...AFTER_TRAFFIC];
}

/** Whether a change with this plan comes through a state: when it goes well, or when it is undone. */
export function isPassed(plan: RolloutPlan, state: RolloutStateName): boolean {
  if (state === "restoring-instances") return isRolling(plan) && plan.hasStable;
  if (UNDOING.includes(state)) return true;
  return orderOf(plan).includes(state) && !plan.skips.includes(state);
}

function undo({ plan, state, facts }: Situation, { by, reason }: Cause): Decision {
  // Before the lock nothing was done, so nothing has to be taken back.
  if (state.name === "requested") return go({ by, reason }, moved(state, "undone", facts));
  if (facts.undoBlocked && isInTraffic(plan, state)) {
    // The candidate fails and the stable release cannot run: what has the traffic keeps it.
    const blocked = `${reason}; ${facts.undoBlocked}`;
    return go({ by, reason: blocked }, { ...moved(state, "draining", facts), blocked });
  }
  const first = isPassed(plan, "restoring-instances") ? "restoring-instances" : "restoring-weights";
  // With hooks under way, what was checked has been.
  const isChecked = state.name === "preflight" && state.leaving;
  const undoneFrom = isChecked ? isChecked.name : actualName(state);
  return go({ by, reason }, { ...moved(state, first, facts), undoneFrom });
}

function endBlocked({ state, facts }: Situation, reason: string): Decision {
  return go({ by: "platform", reason }, moved(state, "undo-blocked", facts));
}

function continueUndo({ state, facts }: Situation): Decision {
  if (!facts.settled) return stay("its effects have not taken hold yet");
  const by = "platform";
  if (state.name === "restoring-instances") {
    const reason = "every instance of the stable release runs again";
    return go({ by, reason }, moved(state, "restoring-weights", facts));
  }
  if (state.name === "restoring-weights") {
    const reason = "all traffic is back on the stable release";
    return go({ by, reason }, moved(state, "draining-candidate", facts));
  }
  const reason = ["the candidate is drained and stopped", facts.note ?? []].flat().join("; ");
  if (!facts.undoBlocked) return go({ by, reason }, moved(state, "undone", facts));
  return go({ by, reason: `${reason}; ${facts.undoBlocked}` }, moved(state, "undo-blocked", facts));
}

function obey(situation: Situation, command: NonNullable<Facts["command"]>): Decision {
  const { plan, state, facts } = situation;
  const cause = { by: command.by, reason: command.reason ?? `${command.name} by ${command.by}` };
  const refusal: Decision = {
    kind: "refuse",
    because: `${command.name} means nothing while it is ${state.name}`,
  };
  if (command.name === "promote-full" && isRolling(plan)) {
    const because = "instances are replaced batch by batch: promote goes to the next batch";
    return { kind: "refuse", because };
  }
  if (!isMeaningful(command.name, state)) return refusal;
  if (state.leaving && MOVING.includes(command.name))
    return { kind: "refuse", because: "it goes on as soon as its hooks have run" };
  switch (command.name) {
    case "abort":
      if (facts.undoBlocked && isInTraffic(plan, state))
        return { kind: "refuse", because: facts.undoBlocked };
      return undo(situation, cause);
    case "pause":
      return go(cause, { ...state, name: "paused", pausedFrom: state.name, enteredAtMs: facts.nowMs });
    case "resume":
      return go(cause, resumed(state, facts));
    case "finish":
      return forward(situation, cause);
    case "promote":
    case "promote-full":
      return promote(situation, cause, command.name === "promote-full");
  }
}

function isMeaningful(command: Command, state: RolloutState): boolean {
  if (command === "abort") return !CANNOT_UNDO.includes(state.name);
  if (command === "resume") return state.name === "paused";
  if (command === "finish") return state.name === "baking";
  if (command === "pause") return state.name === "stepping" || state.name === "baking";
  return ["stepping", "baking"].includes(actualName(state));
}

function promote({ plan, state, facts }: Situation, cause: Cause, isFull: boolean): Decision {
  const from = state.name === "paused" ? resumed(state, facts) : state;
  if (!isFull || from.name === "baking") return forward({ plan, state: from, facts }, cause);
  const beforeLast = Math.max(from.stage, plan.stages.length - 2);
  return forward({ plan, state: { ...from, stage: beforeLast }, facts }, cause, from);
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
  return state.name === "stepping" && !state.leaving ? { ...state, stageStartedAtMs: nowMs } : state;
}

function isRolling(plan: RolloutPlan): boolean {
  return plan.stages.some((stage) => stage.instances);
}

function moved(before: RolloutState, name: RolloutStateName, facts: Facts): RolloutState {
  const { leaving: _, ...state } = before;
  return { ...state, name, enteredAtMs: facts.nowMs, pausedFrom: null };
}

function stay(because: string): Decision {
  return { kind: "stay", because };
}

function go({ by, reason }: Cause, to: RolloutState): Decision {
  return { kind: "go", to, by, reason };
}
