import { AppError, type ServiceFile } from "@mainstay/api";
import type {
  ChangeKind,
  ChangeView,
  JudgeSettings,
  Limits,
  Preparation,
  PreparedRequest,
} from "../changes/index.ts";
import { planRelease } from "./release-plan.ts";
import type { Services } from "./services.ts";
import type { ReleaseRow } from "./store.ts";

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
  const { stable_release: stable, scale } = await services.service({ service, environment });
  const target = `${environment}/${service}`;
  if (stable === candidate) throw new AppError("CHANGE_NOTHING_TO_DO", { candidate, target });
  await services.tasks.mustFitSchema(release);
  const before = stable === null ? null : await services.release(stable);
  const { plan, isCompared } = planRelease({
    candidate: release,
    stable: before,
    immediate,
    runsCommand: await services.tasks.isReleaseCommandDue(release),
    isRehearsed: before !== null && (await services.tasks.isRehearsalDue(release, before)),
    scale,
  });
  return {
    target,
    service,
    environment,
    candidate,
    stable,
    plan,
    judge: judgeOf(snapshot, isCompared),
    freeze: snapshot.freeze,
    limits: limitsOf(snapshot),
  };
}

/** Without two arms in traffic there is nothing to compare: the absolute ceilings still hold. */
function judgeOf({ rollout }: ServiceFile, isCompared: boolean): JudgeSettings | null {
  const { alpha, warmup: warmupMs, metrics, onTooLittleEvidence, probes, probeRate } = rollout.judge;
  const { errorRate, latencyP95 } = rollout.limits;
  const hasCeiling = errorRate !== undefined || latencyP95 !== undefined;
  if (!isCompared) return hasCeiling ? { metrics: [], alpha, warmupMs, probes: null } : null;
  const isProbed = onTooLittleEvidence === "probe";
  const counted = rollout.gates.flatMap(({ name: gate, compare, noData }) =>
    compare ? { gate, isOptional: noData === "ignore" } : [],
  );
  return {
    ...{ metrics, alpha, warmupMs },
    probes: isProbed ? { list: probes, ratePerSecond: probeRate } : null,
    ...(counted.length === 0 ? {} : { counted }),
  };
}

function limitsOf({ rollout }: ServiceFile): Limits {
  const { errorRate, latencyP95 } = rollout.limits;
  return { errorRate, latencyP95Ms: latencyP95 };
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
  const attempts = await services.tasks.ofChange(change.id, "release");
  const hasMoved = attempts.some((each) => each.compatibility === "contract" && each.state === "succeeded");
  if (!hasMoved) return null;
  return `its release command altered the schema (compatibility: contract), so that ${change.stable} cannot run`;
}
