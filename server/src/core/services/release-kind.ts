import { AppError, BUCKETS, type ServiceFile } from "@mainstay/api";
import type { RolloutPlan } from "@mainstay/rollout";
import type { ChangeKind, ChangeView, Preparation, PreparedRequest } from "../changes/index.ts";
import type { Services } from "./services.ts";
import type { ReleaseRow } from "./store.ts";

/** A process without a probe is ready when it has lived for 5 s; it gets this long to manage that. */
const UNPROBED_DEADLINE_MS = 30_000;

interface PlanOptions {
  hasStable: boolean;
  immediate: boolean;
  /** Whether the release command is still to be run. */
  runsCommand: boolean;
}

/** A plan for one release; what means nothing to it is passed over. */
function planOf(release: ReleaseRow, { hasStable, immediate, runsCommand }: PlanOptions): RolloutPlan {
  const { rollout, release: command } = release.snapshot;
  // The stable release cannot share the traffic with its successor, or wait for it to fail.
  const isCut = runsCommand && command?.compatibility === "contract";
  const isStaged = hasStable && !immediate && !isCut && rollout.strategy === "canary";
  const staged = rollout.stages.map((each) => ({
    weight: Math.round(each.weight * BUCKETS),
    bakeMs: each.bake,
  }));
  return {
    stages: isStaged ? staged : [{ weight: BUCKETS, bakeMs: 0 }],
    keepWarmMs: isCut ? 0 : rollout.keepWarm,
    gateDeadlineMs: gateDeadlineOf(release),
    onTooLittleEvidence: rollout.judge.onTooLittleEvidence,
    hasStable,
    skips: runsCommand ? ["backup"] : ["backup", "migrating"],
  };
}

/** How long new instances of a release may take to become healthy. */
export function gateDeadlineOf({ snapshot }: { snapshot: ServiceFile }): number {
  const deadlines = Object.values(snapshot.processes).map(
    (each) => each.health?.deadline ?? UNPROBED_DEADLINE_MS,
  );
  return Math.max(...deadlines);
}

/** Changes of kind release: a candidate release takes the place of the stable one. */
export function createReleaseKind(services: Services): Pick<ChangeKind, "kind" | "prepare" | "undoBlocked"> {
  return {
    kind: "release",
    prepare: async (request) => prepare(services, await services.release(request.candidate), request),
    undoBlocked: (change) => undoBlocked(services, change),
  };
}

/** Changes of kind setting: the code stays, its configuration is another; rolled out as a release is. */
export function createSettingKind(services: Services): Pick<ChangeKind, "kind" | "prepare" | "undoBlocked"> {
  return {
    ...createReleaseKind(services),
    kind: "setting",
    async prepare(request) {
      const candidate = await services.release(request.candidate);
      const preparation = await prepare(services, candidate, request);
      if (preparation.stable !== null) await mustBeNeighbours(services, candidate, preparation.stable);
      return preparation;
    },
  };
}

async function prepare(
  services: Services,
  release: ReleaseRow,
  { immediate }: PreparedRequest,
): Promise<Preparation> {
  const { id: candidate, service, environment, snapshot } = release;
  if (release.collected_at !== null) throw new AppError("RELEASE_COLLECTED", { release: candidate });
  const { stable_release: stable } = await services.service({ service, environment });
  const target = `${environment}/${service}`;
  if (stable === candidate) throw new AppError("CHANGE_NOTHING_TO_DO", { candidate, target });
  await services.tasks.mustFitSchema(release);
  const runsCommand = await services.tasks.isReleaseCommandDue(release);
  const plan = planOf(release, { hasStable: stable !== null, immediate, runsCommand });
  const { metrics, alpha, warmup } = snapshot.rollout.judge;
  const { errorRate, latencyP95 } = snapshot.rollout.limits;
  return {
    target,
    service,
    environment,
    candidate,
    stable,
    plan,
    judge: plan.stages.length > 1 ? { metrics, alpha, warmupMs: warmup } : null,
    limits: { errorRate, latencyP95Ms: latencyP95 },
  };
}

/** Settings made from one release would silently take back what another has brought since. */
async function mustBeNeighbours(services: Services, candidate: ReleaseRow, stableId: string): Promise<void> {
  const stable = await services.release(stableId);
  const isFollowing = candidate.base === stable.id;
  const isComingBack = stable.base === candidate.id;
  if (isFollowing || isComingBack) return;
  const { id, base, environment, service } = candidate;
  const target = `${environment}/${service}`;
  throw new AppError("CHANGE_STALE", { candidate: id, base: base ?? id, stable: stable.id, target });
}

/**
 * Once its release command succeeded, a change of compatibility contract has left the stable release behind.
 */
async function undoBlocked(services: Services, change: ChangeView): Promise<string | null> {
  if (change.stable === null || change.plan.skips.includes("migrating")) return null;
  const attempts = await services.tasks.ofChange(change.id);
  const hasMoved = attempts.some((each) => each.compatibility === "contract" && each.state === "succeeded");
  if (!hasMoved) return null;
  return `its release command altered the schema (compatibility: contract), so that ${change.stable} cannot run`;
}
