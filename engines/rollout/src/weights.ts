import type { RolloutPlan, RolloutState } from "./types.ts";

const FULL = 10_000;

/** The candidate's share (ten-thousandths) that belongs to a state: the one truth that drivers apply. */
export function weightOf(plan: RolloutPlan, state: RolloutState): number {
  const name = state.name === "paused" ? state.pausedFrom : state.name;
  if (name === "stepping") return plan.stages[state.stage]?.weight ?? 0;
  return isCutOver(name, state) ? FULL : 0;
}

/** Where the weight falls back to when nobody steers: the last stage that was passed. */
export function provenOf(plan: RolloutPlan, state: RolloutState): number {
  const name = state.name === "paused" ? state.pausedFrom : state.name;
  if (isCutOver(name, state)) return FULL;
  if (name !== "stepping") return 0;
  if (!plan.hasStable) return weightOf(plan, state);
  return plan.stages[state.stage - 1]?.weight ?? 0;
}

function isCutOver(name: RolloutState["pausedFrom"], state: RolloutState): boolean {
  if (name === "undo-blocked") return state.blocked !== undefined;
  return name === "baking" || name === "draining" || name === "succeeded";
}
