import { BUCKETS, momentOf, type Gate, type ServiceFile } from "@mainstay/api";
import {
  planStrategy,
  type PlannedGate,
  type Rehearsal,
  type RolloutPlan,
  type Strategy,
} from "@mainstay/rollout";
import { maskSecrets } from "../../kernel/redact.ts";
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
  /** Whether it is still to be tried that the stable release starts on the schema. */
  isRehearsed: boolean;
  /** Numbers of instances that were asked for, by process. */
  scale: Counts;
}

/** A plan for one release; what means nothing to it is passed over. */
export function planRelease(succession: Succession): { plan: RolloutPlan; isCompared: boolean } {
  const { candidate, stable, runsCommand, isRehearsed } = succession;
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
    rehearsal: stable && isRehearsed ? planRehearsal(stable, strategyOf(succession)) : null,
    hooks: candidate.snapshot.hooks.map((hook) => ({ ...momentOf(hook), what: maskSecrets(hook.command) })),
    // Who wants all traffic at once, as a rollback does, is not to wait for metrics.
    gates: succession.immediate ? [] : gatesOf(rollout.gates, isCompared),
    skips: runsCommand ? ["backup"] : ["backup", "migrating"],
  };
  return { plan, isCompared };
}

/** Where both releases never serve side by side, there is nothing to compare. */
function gatesOf(gates: readonly Gate[], isCompared: boolean): PlannedGate[] {
  return gates.filter(({ compare }) => isCompared || compare === undefined).map(planGate);
}

function planGate({ name, query, max, min, compare, noData, for: forMs, interval }: Gate): PlannedGate {
  const common = { name, noData, forMs, intervalMs: interval };
  if (compare) return { ...common, question: { kind: "comparison", ...compare } };
  return {
    ...common,
    question: { kind: "threshold", query: query ?? "", min: min ?? null, max: max ?? null },
  };
}

function strategyOf(succession: Succession): Strategy {
  const { candidate, stable, immediate, scale } = succession;
  const { strategy, stages, rolling } = candidate.snapshot.rollout;
  if (immediate || isCut(succession)) return { name: "immediate" };
  if (strategy === "canary") {
    return {
      name: strategy,
      stages: stages.map(({ weight, bake, gates }) => ({
        ...{ weight: Math.round(weight * BUCKETS), bakeMs: bake },
        ...(gates.length === 0 ? {} : { gates: gates.map(planGate) }),
      })),
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

/** One instance of what serves, beside those that run; where that is not possible, why. */
function planRehearsal({ snapshot }: ReleaseRow, strategy: Strategy): Rehearsal {
  const serving = Object.entries(snapshot.processes).find(([, { port }]) => port !== undefined);
  if (!serving) return { skipped: "none of its processes has a port" };
  const [process, { port, health }] = serving;
  if (port !== "auto") return { skipped: `${process} has the fixed port ${port}, which its instance holds` };
  if (strategy.name === "rolling" && strategy.settings.maxSurge === 0)
    return { skipped: "rolling.maxSurge is 0, so there is no room for one more instance" };
  return { process, deadlineMs: health?.deadline ?? UNPROBED_DEADLINE_MS };
}

/** How long new instances of a release may take to become healthy. */
export function gateDeadlineOf({ snapshot }: { snapshot: ServiceFile }): number {
  const deadlines = Object.values(snapshot.processes).map(
    (each) => each.health?.deadline ?? UNPROBED_DEADLINE_MS,
  );
  return Math.max(...deadlines);
}
