import type { ChangeView, Step } from "../../core/changes/index.ts";
import type { Part } from "../../core/services/index.ts";

/** The instances that belong to a batch of a rolling change, as parts of each release's own size. */
export interface Batch {
  candidate: Part;
  /**
   * What the stable release shrinks to before the candidate's instances start, and once they have traffic.
   */
  room: Part;
  stable: Part;
}

export function isRolling({ plan }: ChangeView): boolean {
  return plan.stages.some((stage) => stage.instances);
}

/** The batch of a stage; null where instances are not replaced in batches. */
export function batchOf({ plan }: ChangeView, stage: number): Batch | null {
  const counts = plan.stages[stage]?.instances;
  if (!counts) return null;
  const { candidate, room, stable, all } = counts;
  return {
    candidate: { count: candidate, of: all.candidate },
    room: { count: room, of: all.stable },
    stable: { count: stable, of: all.stable },
  };
}

/**
 * Steps of the driver, batch by batch. While a batch starts, the change still counts as in the stage before.
 */
export function planBatches(change: ChangeView): Step[] {
  const { candidate, stable, plan } = change;
  const driver = "instances";
  const batches = plan.stages.flatMap((each, stage): Step[] => {
    const batch = batchOf(change, stage);
    if (!batch) return [];
    const start = `run ${words(batch.candidate)} of the instances of ${candidate}, ${words(batch.room)} of ${stable}`;
    const shrink = `drain and stop instances of ${stable} until ${words(batch.stable)} are left`;
    const undoneIn = stage === 0 ? "draining-candidate" : null;
    return [
      { driver, act: "start-batch", title: start, state: "starting", stage: stage - 1, undoneIn },
      { driver, act: "shrink", title: shrink, state: "stepping", stage, undoneIn: null },
    ];
  });
  const title = `run every instance of ${stable} again, if it has to be undone`;
  return [
    ...batches,
    { driver, act: "restore", title, state: "restoring-instances", stage: null, undoneIn: null },
  ];
}

function words({ count, of }: Part): string {
  return `${count} of ${of}`;
}
