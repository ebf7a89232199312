import { AppError, BUCKETS, type ServiceFile } from "@mainstay/api";
import type { RolloutPlan } from "@mainstay/rollout";
import type { ChangeKind, Preparation } from "../changes/index.ts";
import type { Services } from "./services.ts";

/** A process without a probe is ready when it has lived for 5 s; it gets this long to manage that. */
const UNPROBED_DEADLINE_MS = 30_000;

/** A plan for one release: `backup` and `migrating` mean nothing to a service without such steps. */
function planOf(file: ServiceFile, options: { hasStable: boolean; immediate: boolean }): RolloutPlan {
  const { rollout } = file;
  const isStaged = options.hasStable && !options.immediate && rollout.strategy === "canary";
  const staged = rollout.stages.map((each) => ({
    weight: Math.round(each.weight * BUCKETS),
    bakeMs: each.bake,
  }));
  const deadlines = Object.values(file.processes).map(
    (each) => each.health?.deadline ?? UNPROBED_DEADLINE_MS,
  );
  return {
    stages: isStaged ? staged : [{ weight: BUCKETS, bakeMs: 0 }],
    keepWarmMs: rollout.keepWarm,
    gateDeadlineMs: Math.max(...deadlines),
    onTooLittleEvidence: rollout.judge.onTooLittleEvidence,
    hasStable: options.hasStable,
    skips: ["backup", "migrating"],
  };
}

/** Changes of kind release: a candidate release takes the place of the stable one. */
export function createReleaseKind(services: Services): Pick<ChangeKind, "kind" | "prepare"> {
  return {
    kind: "release",
    async prepare({ candidate, immediate }): Promise<Preparation> {
      const release = await services.release(candidate);
      const { service, environment, snapshot } = release;
      if (release.collected_at !== null) throw new AppError("RELEASE_COLLECTED", { release: candidate });
      const { stable_release: stable } = await services.service({ service, environment });
      const target = `${environment}/${service}`;
      if (stable === candidate) throw new AppError("CHANGE_NOTHING_TO_DO", { candidate, target });
      const plan = planOf(snapshot, { hasStable: stable !== null, immediate });
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
    },
  };
}
