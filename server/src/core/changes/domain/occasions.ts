import { actualName, isPassed, type RolloutStateName } from "@mainstay/rollout";
import type { ChangeView, Occasion } from "../ports.ts";

const UNDOING = ["restoring-instances", "restoring-weights", "draining-candidate"] as const;
/** Until its files and signature were checked nothing of a candidate runs, an undo's hooks included. */
const UNCHECKED: readonly RolloutStateName[] = ["requested", "locked", "preflight"];

export function isUndoing({ position }: ChangeView): boolean {
  return UNDOING.some((each) => each === position.name);
}

/** What lies between the state a change is leaving and the one it goes to. */
export function occasionsBetween({ position }: ChangeView): Occasion[] {
  const { leaving } = position;
  if (!leaving) return [];
  return [
    { when: "after", state: actualName(position), stage: position.stage },
    { when: "before", state: leaving.name, stage: leaving.stage },
  ];
}

/**
 * What an undo has come to so far, in order. It waits for none of it before the traffic is back and the
 * candidate gone: the end of the last state (`isOver`) is the last occasion.
 */
export function occasionsOfUndo(change: ChangeView, isOver: boolean): Occasion[] {
  const { plan, position } = change;
  if (position.undoneFrom && UNCHECKED.includes(position.undoneFrom)) return [];
  const order = UNDOING.filter((state) => isPassed(plan, state));
  const reached = order.slice(0, order.findIndex((each) => each === position.name) + 1);
  return reached.flatMap((state): Occasion[] => {
    const before: Occasion = { when: "before", state, stage: position.stage };
    const hasEnded = state !== position.name || (isOver && state === "draining-candidate");
    return hasEnded ? [before, { ...before, when: "after" }] : [before];
  });
}
