import type { ChangeView, Driver, Observation, Step } from "../../core/changes/index.ts";
import type { TaskRow } from "../../core/services/index.ts";
import { remain, stopTasks, type TaskEndingDependencies } from "./task-ending.ts";

/**
 * Starts the stable release once more on the schema that the release command left, before the candidate has
 * anything: only then is it known that going back would work.
 */
export function createRehearsalDriver(dependencies: TaskEndingDependencies): Driver {
  const { services, link } = dependencies;
  const { tasks } = services;

  function plan(change: ChangeView): Step[] {
    const { rehearsal } = change.plan;
    if (!rehearsal) return [];
    const title =
      "skipped" in rehearsal
        ? `whether ${change.stable} still starts is not tried: ${rehearsal.skipped}`
        : `start ${rehearsal.process} of ${change.stable} once more, out of traffic, on the new schema`;
    return [
      {
        ...{ driver: "rehearsal", act: "rehearse", title },
        ...{ state: "rehearsing", stage: null, undoneIn: "draining-candidate" },
      },
    ];
  }

  async function apply(change: ChangeView): Promise<void> {
    const { rehearsal } = change.plan;
    if (!rehearsal || "skipped" in rehearsal || change.stable === null) return;
    const [stable, candidate] = await Promise.all([
      services.release(change.stable),
      services.release(change.candidate),
    ]);
    await services.verifyRelease(stable);
    await tasks.startRehearsal(change.id, { stable, candidate }, rehearsal);
    await link.sync();
  }

  async function undo(change: ChangeView): Promise<void> {
    await stopTasks(dependencies, await tasks.ofChange(change.id, "rehearsal"));
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const { rehearsal } = change.plan;
    const { name } = change.position;
    const isMine = name === "rehearsing" || name === "draining-candidate";
    if (!rehearsal || !isMine) return { waitingFor: null, failure: null };
    const rows = await tasks.ofChange(change.id, "rehearsal");
    const waitingFor = remain(link, rows) ? "the rehearsed instance to be stopped" : null;
    if (name === "draining-candidate") return { waitingFor, failure: null };
    if ("skipped" in rehearsal) {
      const note = `whether ${change.stable} still starts was not tried: ${rehearsal.skipped}`;
      return { waitingFor: null, failure: null, note };
    }
    const [row] = rows;
    if (!row || row.state === "running")
      return { waitingFor: `${change.stable} to start on the new schema`, failure: null };
    const failure = failureOf(change, row);
    const note = `${change.stable} started on the new schema, out of traffic, and was healthy`;
    return { waitingFor, failure, note };
  }

  return { name: "rehearsal", plan, check: async () => [], apply, undo, observe, onNews: link.onNews };
}

function failureOf({ stable }: ChangeView, { state, reason }: TaskRow): string | null {
  if (state === "succeeded") return null;
  if (state !== "failed") return `whether ${stable} still starts was not found out: ${reason}`;
  return (
    `the release command is not "expand" as declared: ${stable} does not start on the schema it left (${reason}). ` +
    "Its running instances still serve, but going back to it would not have worked: " +
    "roll forward with a release that mends the schema, or restore a backup"
  );
}
