import { BUCKETS, type ServiceFile } from "@mainstay/api";
import { planStrategy, type RolloutPlan, type Strategy } from "@mainstay/rollout";
import type { Counts } from "./domain/counts.ts";
import type { ReleaseRow } from "./store.ts";

/** A process without a probe is ready when it has lived for 5 s; it gets this long to manage that. */
const UNPROBED_DEADLINE_MS = 30_000;

/** Who takes over from whom. */
export interface Succession {
  candidate: ReleaseRow;
  /** Null when nothing serves yet. */
  stable: ReleaseRow | null;
  immediate: boolean;
  /** Whether the release command is still to be run. */
  runsCommand: boolean;
  /** Numbers of instances that were asked for, by process. */
  scale: Counts;
}

/** A plan for one release; what means nothing to it is passed over. */
export function planRelease(succession: Succession): { plan: RolloutPlan; isCompared: boolean } {
  const { candidate, stable, runsCommand } = succession;
  const { rollout, verify: endpoints } = candidate.snapshot;
  const { stages, keepWarmMs, verify, isCompared } = planStrategy({
    strategy: strategyOf(succession),
    hasStable: stable !== null,
    isVerified: endpoints.length > 0,
    keepWarmMs: isCut(succession) ? 0 : rollout.keepWarm,
  });
  const plan: RolloutPlan = {
    stages,
    keepWarmMs,
    verify,
    gateDeadlineMs: gateDeadlineOf(candidate),
    // Probes are evidence like any other: the stage holds until they, too, are enough.
    onTooLittleEvidence: rollout.judge.onTooLittleEvidence === "advance" ? "advance" : "hold",
    hasStable: stable !== null,
    skips: runsCommand ? ["backup"] : ["backup", "migrating"],
  };
  return { plan, isCompared };
}

function strategyOf(succession: Succession): Strategy {
  const { candidate, stable, immediate, scale } = succession;
  const { strategy, stages, rolling } = candidate.snapshot.rollout;
  if (immediate || isCut(succession)) return { name: "immediate" };
  if (strategy === "canary") {
    return {
      name: strategy,
      stages: stages.map(({ weight, bake }) => ({ weight: Math.round(weight * BUCKETS), bakeMs: bake })),
    };
  }
  if (strategy !== "rolling") return { name: strategy };
  const counts = {
    candidate: servingInstances(candidate, scale),
    stable: servingInstances(stable ?? candidate, scale),
  };
  const { maxSurge, maxUnavailable, bake: bakeMs } = rolling;
  return { name: strategy, counts, settings: { maxSurge, maxUnavailable, bakeMs } };
}

/** The stable release cannot share the traffic with its successor, or wait for it to fail. */
function isCut({ candidate, runsCommand }: Succession): boolean {
  return runsCommand && candidate.snapshot.release?.compatibility === "contract";
}

/** Of the process that gets the traffic; of the largest one where none does. */
function servingInstances({ snapshot }: ReleaseRow, scale: Counts): number {
  const all = Object.entries(snapshot.processes).map(([process, { port, instances }]) => ({
    isServing: port !== undefined,
    count: scale[process] ?? instances,
  }));
  const serving = all.find((each) => each.isServing)?.count;
  return Math.max(1, serving ?? Math.max(...all.map((each) => each.count)));
}

/** How long new instances of a release may take to become healthy. */
export function gateDeadlineOf({ snapshot }: { snapshot: ServiceFile }): number {
  const deadlines = Object.values(snapshot.processes).map(
    (each) => each.health?.deadline ?? UNPROBED_DEADLINE_MS,
  );
  return Math.max(...deadlines);
}
