import { provenOf, weightOf, type RolloutPlan, type RolloutState } from "@mainstay/rollout";
import type { ChangeView } from "../ports.ts";
import type { ChangeRow } from "../store.ts";

/** A row as drivers and signals see it. */
export function viewOf(row: ChangeRow): ChangeView {
  const { id, kind, service, environment, candidate, stable, plan, position, weight, proven } = row;
  return { id, kind, service, environment, candidate, stable, plan, position, weight, proven };
}

/** The columns that follow from a position: written together, so that they never contradict each other. */
export function positionColumns(plan: RolloutPlan, position: RolloutState) {
  return {
    position,
    state: position.name,
    stage: position.stage,
    weight: weightOf(plan, position),
    proven: provenOf(plan, position),
  };
}
