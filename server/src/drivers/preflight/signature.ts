import { AppError } from "@mainstay/api";
import { findingOf, type Finding } from "../../core/changes/index.ts";
import type { Situation } from "./situation.ts";

/** Asked of the keys that are trusted now: one may have been taken out since the release was registered. */
export function checkSignature({ candidate, signatures }: Situation): Finding[] {
  if (!signatures.isAsked) return [];
  const verdict = signatures.check(candidate);
  if (verdict.isGood) return [];
  const severity = signatures.isRequired ? "error" : "warning";
  const error = new AppError("PREFLIGHT_UNSIGNED", { reason: verdict.reason });
  // Going back to an old release at night must be possible to somebody who may force it.
  return [findingOf(error, { severity, isForceable: true })];
}
