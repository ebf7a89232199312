import type { ChangeKind, Preparation, Step } from "../ports.ts";
import type { ChangeRow } from "../store.ts";
import { positionColumns, viewOf } from "./view.ts";

/** Every driver's steps, in the order the drivers are registered; and what runs around them. */
export function planSteps(kind: ChangeKind, row: ChangeRow): Step[] {
  const change = viewOf(row);
  return [...kind.drivers.flatMap((driver) => driver.plan(change)), ...(kind.hooks?.plan(change) ?? [])];
}

/** The patch that takes a new preparation (another stable release, say) into a change that has not begun. */
export function adoptPreparation(
  kind: ChangeKind,
  row: ChangeRow,
  prepared: Preparation,
): Partial<ChangeRow> {
  const renewed = { ...row, ...prepared };
  return { ...prepared, steps: planSteps(kind, renewed), ...positionColumns(prepared.plan, row.position) };
}
