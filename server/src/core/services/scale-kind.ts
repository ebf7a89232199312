import { AppError } from "@mainstay/api";
import type { RolloutPlan } from "@mainstay/rollout";
import type { ChangeKind, Preparation, PreparedRequest } from "../changes/index.ts";
import { foundAt, type FoundScope, type Scope } from "../../kernel/http/index.ts";
import { formatCounts, parseCounts, type Counts } from "./domain/counts.ts";
import type { Services } from "./services.ts";
import type { ReleaseRow, ServiceRow, Target } from "./store.ts";

/** Nobody judges numbers: new instances pass their gate, then the surplus is drained. */
function planOf(gateDeadlineMs: number): RolloutPlan {
  return {
    stages: [],
    keepWarmMs: 0,
    gateDeadlineMs,
    onTooLittleEvidence: "hold",
    hasStable: true,
    skips: ["backup", "migrating", "stepping", "baking"],
  };
}

/** Changes of kind scale: the candidate is a text such as "web=4,worker=0", the stable arm what it was. */
export function createScaleKind(
  services: Services,
  gateDeadlineOf: (release: ReleaseRow) => number,
): Pick<ChangeKind, "kind" | "prepare"> {
  return {
    kind: "scale",
    async prepare(request): Promise<Preparation> {
      const wanted = parseCounts(request.candidate);
      const target = targetOf(request);
      const release = await services.settings.mustServe(target);
      const row = await services.service(target);
      const before = Object.fromEntries(
        Object.keys(wanted).map((process) => [process, countOf(row, release, process)]),
      );
      for (const [process, count] of Object.entries(wanted)) mustBePossible(release, process, count);
      const [candidate, stable] = [formatCounts(wanted), formatCounts(before)];
      const name = `${target.environment}/${target.service}`;
      if (candidate === stable) throw new AppError("CHANGE_NOTHING_TO_DO", { candidate, target: name });
      const plan = planOf(gateDeadlineOf(release));
      return { target: name, ...target, candidate, stable, plan, judge: null, limits: {} };
    },
  };
}

/**
 * What a request for a change is about: for numbers what it names itself, for all else the service of the release.
 */
export async function scopeOfChange(
  services: Pick<Services, "release">,
  wish: Pick<PreparedRequest, "candidate" | "service" | "environment"> & { kind: string },
): Promise<Scope | FoundScope> {
  if (wish.kind === "scale") return targetOf(wish);
  const { candidate } = wish;
  return foundAt(await services.release(candidate), `release ${candidate}`, "releases.read");
}

function targetOf({ service, environment }: Pick<PreparedRequest, "service" | "environment">): Target {
  if (service !== undefined) return { service, environment: environment ?? "production" };
  const errors = [{ path: "body.service", message: "is missing: whose processes are to be scaled" }];
  throw new AppError("REQUEST_INVALID", {}, { errors });
}

function countOf(row: ServiceRow, release: ReleaseRow, process: string): number {
  return row.scale[process] ?? release.snapshot.processes[process]?.instances ?? 0;
}

function mustBePossible(release: ReleaseRow, process: string, count: number): void {
  const spec = release.snapshot.processes[process];
  const refuse = (reason: string): never => {
    throw new AppError("SCALE_IMPOSSIBLE", { service: release.service, process, count, reason });
  };
  if (!spec) refuse(`its processes are ${Object.keys(release.snapshot.processes).join(", ")}`);
  else if (spec.singleton && count > 1) refuse("it is a singleton and never runs twice");
  else if (spec.port !== undefined && count === 0) refuse("it serves the traffic: somebody has to");
  else if (typeof spec.port === "number" && count > 1) refuse(`only one of them can have port ${spec.port}`);
}

/** The numbers a change brings, by process. */
export function countsOf(candidate: string): Counts {
  return parseCounts(candidate);
}
