import type { RolloutPlan, RolloutState, RolloutStateName } from "./types.ts";

const FULL = 10_000;

/** The candidate's share (ten-thousandths) that belongs to a state: the one truth that drivers apply. */
export function weightOf(plan: RolloutPlan, state: RolloutState): number {
  switch (actualName(state)) {
    case "starting":
    case "gating":
    case "stepping":
      // Between the batches of a rolling change the share of the last one stays.
      return plan.stages[state.stage]?.weight ?? 0;
    case "verifying":
      return plan.verify === "before-traffic" ? 0 : FULL;
    case "baking":
    case "draining":
    case "succeeded":
      return FULL;
    case "restoring-instances":
      // Somebody must answer: without a stable instance the candidate keeps its share until there is one.
      return stableLeftAtUndo(plan, state) > 0 ? 0 : (plan.stages[state.stage]?.weight ?? 0);
    case "undo-blocked":
      return state.blocked === undefined ? 0 : FULL;
    default:
      return 0;
  }
}

/** Where the weight falls back to when nobody steers: the last stage that was passed. */
export function provenOf(plan: RolloutPlan, state: RolloutState): number {
  const name = actualName(state);
  if (name !== "stepping" && name !== "verifying") return weightOf(plan, state);
  const hasNowhereToGo = !plan.hasStable || plan.stages[state.stage]?.instances?.stable === 0;
  if (hasNowhereToGo || weightOf(plan, state) === 0) return weightOf(plan, state);
  return plan.stages[state.stage - 1]?.weight ?? 0;
}

/** Whether the candidate serves users in this state, so that it can do harm. */
export function isInTraffic(plan: RolloutPlan, state: RolloutState): boolean {
  const isForward = state.name !== "restoring-instances" && state.name !== "succeeded";
  return isForward && weightOf(plan, state) > 0;
}

/** The state, or the one that is paused. */
export function actualName(state: RolloutState): RolloutStateName {
  return state.name === "paused" ? (state.pausedFrom ?? state.name) : state.name;
}

function stableLeftAtUndo(plan: RolloutPlan, state: RolloutState): number {
  const isBetween = state.undoneFrom === "starting" || state.undoneFrom === "gating";
  const stage = plan.stages[isBetween ? state.stage + 1 : state.stage];
  return (isBetween ? stage?.instances?.room : stage?.instances?.stable) ?? 1;
}
