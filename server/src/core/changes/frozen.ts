import { AppError, type FreezeWindow } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import { findingOf } from "./domain/findings.ts";
import { findFreeze } from "./domain/freeze.ts";
import type { Finding } from "./ports.ts";
import type { ChangeRow } from "./store.ts";

export interface FreezerDependencies {
  clock: Clock;
  /** The platform's windows; a service may have more. */
  freeze: readonly FreezeWindow[];
}

type Guarded = Pick<ChangeRow, "target" | "freeze" | "override_freeze">;

/** Says whether a change may not begin now. One that is under way is finished, whatever window begins. */
export function createFreezer({ clock, freeze }: FreezerDependencies) {
  /** The window in force as an error; null when there is none. */
  function inForce({ target, freeze: own }: Guarded): AppError | null {
    const frozen = findFreeze([...freeze, ...own], clock.now());
    if (!frozen) return null;
    const { until, reason } = frozen;
    return new AppError("CHANGE_FROZEN", { target, until: until.toISOString(), reason });
  }

  /** Throws CHANGE_FROZEN, unless somebody said why it goes on all the same. */
  function refuse(change: Guarded): void {
    const error = change.override_freeze === null ? inForce(change) : null;
    if (error) throw error;
  }

  function find(change: Guarded): Finding[] {
    const error = inForce(change);
    if (!error) return [];
    const why = change.override_freeze;
    const finding = findingOf(error, { isForced: why !== null });
    return [why === null ? finding : { ...finding, message: `${finding.message}; overridden: ${why}` }];
  }

  return { refuse, find };
}
export type Freezer = ReturnType<typeof createFreezer>;
