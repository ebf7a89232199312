import { AppError } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Situation } from "./situation.ts";

/** A stable release that is ill is neither a measure for the candidate nor a place to go back to. */
export function checkStable({ stable, stableInstances, observed }: Situation): Finding[] {
  if (!stable) return [];
  const instances = observed.filter((each) => each.release === stable.id);
  const ready = instances.filter((each) => each.state === "ready").length;
  if (ready >= stableInstances) return [];
  const why = instances.find((each) => each.lastProbeError)?.lastProbeError;
  const reason = `${ready} of ${stableInstances} instances are ready${why ? ` (${why})` : ""}`;
  return [findingOf(new AppError("PREFLIGHT_STABLE_UNHEALTHY", { reason }), { severity: "warning" })];
}
