import { AppError } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import type { Log } from "../../kernel/log.ts";
import { findingOf } from "./domain/findings.ts";
import type { ChangeKind, ChangeView, Finding } from "./ports.ts";
import { reasonOf } from "../../kernel/reason-of.ts";

/** A check that takes longer has failed: the others are not to wait for it. */
const CHECK_DEADLINE_MS = 30_000;

export interface PreflightDependencies {
  clock: Clock;
  log: Log;
}

/** Asks every driver and every check of a kind what speaks against a change; all findings at once. */
export function createPreflight({ clock, log }: PreflightDependencies) {
  async function ask(name: string, find: () => Promise<Finding[]>): Promise<Finding[]> {
    try {
      return await withDeadline({ clock, ms: CHECK_DEADLINE_MS }, find());
    } catch (error) {
      if (error instanceof AppError) return [findingOf(error)];
      log.error({ error, check: name }, "a check of the pre-flight came to no result");
      const reason = reasonOf(error);
      const broken = new AppError("PREFLIGHT_BROKEN", { check: name, reason });
      return [findingOf(broken, { isForceable: true })];
    }
  }

  return async function preflight(kind: ChangeKind, change: ChangeView): Promise<Finding[]> {
    const found = await Promise.all([
      ...kind.drivers.map((driver) => ask(driver.name, () => driver.check(change))),
      ...(kind.checks ?? []).map((check) => ask(check.name, () => check.find(change))),
    ]);
    return found.flat();
  };
}
export type Preflight = ReturnType<typeof createPreflight>;
