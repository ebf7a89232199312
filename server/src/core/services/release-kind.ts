import { AppError, BUCKETS, type ServiceFile } from "@mainstay/api";
import { planStrategy, type RolloutPlan, type Strategy } from "@mainstay/rollout";
import type { ChangeKind, Preparation } from "../changes/index.ts";
import type { Services } from "./services.ts";

/** A process without a probe is ready when it has lived for 5 s; it gets this long to manage that. */
const UNPROBED_DEADLINE_MS = 30_000;

/** Who takes over from whom. */
interface Succession {
  candidate: ServiceFile;
  /** Null when nothing serves yet. */
  stable: ServiceFile | null;
  immediate: boolean;
}

/** A plan for one release: `backup` and `migrating` mean nothing to a service without such steps. */
function planOf(succession: Succession): { plan: RolloutPlan; isCompared: boolean } {
  const { candidate: file, stable } = succession;
  const { rollout } = file;
  const { stages, keepWarmMs, verify, isCompared } = planStrategy({
    strategy: strategyOf(succession),
    hasStable: stable !== null,
    isVerified: file.verify.length > 0,
    keepWarmMs: rollout.keepWarm,
  });
  const deadlines = Object.values(file.processes).map(
    (each) => each.health?.deadline ?? UNPROBED_DEADLINE_MS,
  );
  const plan: RolloutPlan = {
    stages,
    keepWarmMs,
    verify,
    gateDeadlineMs: Math.max(...deadlines),
    // Probes are evidence like any other: the stage holds until they, too, are enough.
    onTooLittleEvidence: rollout.judge.onTooLittleEvidence === "advance" ? "advance" : "hold",
    hasStable: stable !== null,
    skips: ["backup", "migrating"],
  };
  return { plan, isCompared };
}

function strategyOf({ candidate, stable, immediate }: Succession): Strategy {
  const { strategy, stages, rolling } = candidate.rollout;
  if (immediate) return { name: "immediate" };
  if (strategy === "canary") {
    return {
      name: strategy,
      stages: stages.map(({ weight, bake }) => ({ weight: Math.round(weight * BUCKETS), bakeMs: bake })),
    };
  }
  if (strategy !== "rolling") return { name: strategy };
  const counts = { candidate: servingInstances(candidate), stable: servingInstances(stable ?? candidate) };
  const { maxSurge, maxUnavailable, bake: bakeMs } = rolling;
  return { name: strategy, counts, settings: { maxSurge, maxUnavailable, bakeMs } };
}

/** Of the process that gets the traffic; of the largest one where none does. */
function servingInstances({ processes }: ServiceFile): number {
  const all = Object.values(processes);
  const serving = all.find((each) => each.port !== undefined)?.instances;
  return serving ?? Math.max(...all.map((each) => each.instances));
}

/** Changes of kind release: a candidate release takes the place of the stable one. */
export function createReleaseKind(services: Services): Pick<ChangeKind, "kind" | "prepare"> {
  return {
    kind: "release",
    async prepare({ candidate, immediate }): Promise<Preparation> {
      const release = await services.release(candidate);
      const { service, environment, snapshot } = release;
      const { stable_release: stable } = await services.service({ service, environment });
      const target = `${environment}/${service}`;
      if (stable === candidate) throw new AppError("CHANGE_NOTHING_TO_DO", { candidate, target });
      const before = stable === null ? null : (await services.release(stable)).snapshot;
      const { plan, isCompared } = planOf({ candidate: snapshot, stable: before, immediate });
      const { alpha, warmup, onTooLittleEvidence, probes: list, probeRate } = snapshot.rollout.judge;
      const isProbed = isCompared && onTooLittleEvidence === "probe";
      const probes = isProbed ? { list, ratePerSecond: probeRate } : null;
      // Without two arms in traffic there is nothing to compare: the absolute ceilings still hold.
      const metrics = isCompared ? snapshot.rollout.judge.metrics : [];
      const { errorRate, latencyP95 } = snapshot.rollout.limits;
      const hasCeiling = errorRate !== undefined || latencyP95 !== undefined;
      return {
        target,
        service,
        environment,
        candidate,
        stable,
        plan,
        judge: isCompared || hasCeiling ? { metrics, alpha, warmupMs: warmup, probes } : null,
        freeze: snapshot.freeze,
        limits: { errorRate, latencyP95Ms: latencyP95 },
      };
    },
  };
}
