import type { Log } from "../../kernel/log.ts";
import { isUndoing, occasionsBetween, occasionsOfUndo } from "./domain/occasions.ts";
import type { ChangeView, Hooks, Observation } from "./ports.ts";

export interface Attendance {
  hooks: Hooks;
  change: ChangeView;
  /** What the drivers see. */
  seen: Observation;
  log: Log;
}

/** Lets the hooks run that are due, and adds to what the drivers see whether they are waited for. */
export async function attendHooks({ hooks, change, seen, log }: Attendance): Promise<Observation> {
  const { name, leaving } = change.position;
  if (!change.plan.hooks?.length || name === "paused") return seen;
  if (isUndoing(change)) return attendUndo({ hooks, change, seen, log });
  if (!leaving) return seen;
  const ran = await hooks.run(change, occasionsBetween(change));
  // The effects of the state it is leaving had taken hold: only their failures still matter.
  return { ...ran, failure: seen.failure ?? ran.failure };
}

/** Nothing that hooks do, or fail to do, keeps an undo from restoring; its last state waits for their end. */
async function attendUndo({ hooks, change, seen, log }: Attendance): Promise<Observation> {
  try {
    await hooks.stop(change);
    const isLast = change.position.name === "draining-candidate";
    const ran = await hooks.run(change, occasionsOfUndo(change, seen.waitingFor === null));
    if (!isLast) return seen;
    const left = (await hooks.remain(change)) ? "a hook to be ended" : null;
    return { ...seen, waitingFor: seen.waitingFor ?? ran.waitingFor ?? left, note: ran.note ?? null };
  } catch (error) {
    log.error({ error, change: change.id }, "hooks of an undo could not be run; trying again");
    return seen;
  }
}
