import { AppError } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Situation } from "./situation.ts";

/** Whether anything but health notices that a release is bad. */
export function checkGuards({ candidate, stable, change }: Situation): Finding[] {
  const { rollout, verify } = candidate.snapshot;
  const isCompared = change.plan.stages.length > 1;
  const hasLimit = Object.values(rollout.limits).some((limit) => limit !== undefined);
  const isGuarded = hasLimit || verify.length > 0 || (change.plan.gates ?? []).length > 0;
  if (stable === null || isCompared || isGuarded || rollout.strategy === "immediate") return [];
  const words = { strategy: rollout.strategy, missing: "neither rollout.limits, rollout.gates nor verify" };
  return [findingOf(new AppError("PREFLIGHT_UNGUARDED", words), { severity: "warning" })];
}
