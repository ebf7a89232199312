import { AppError } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Situation } from "./situation.ts";

/** Whether anything but health notices that a release is bad. */
export function checkGuards({ candidate, stable, change }: Situation): Finding[] {
  const { rollout, verify } = candidate.snapshot;
  const isCompared = change.plan.stages.length > 1;
  const isGuarded = Object.values(rollout.limits).some((limit) => limit !== undefined) || verify.length > 0;
  if (stable === null || isCompared || isGuarded || rollout.strategy === "immediate") return [];
  const words = { strategy: rollout.strategy, missing: "neither rollout.limits nor verify" };
  return [findingOf(new AppError("PREFLIGHT_UNGUARDED", words), { severity: "warning" })];
}
