import { BUCKETS, type ObservedInstance } from "@mainstay/api";
import type { Check, ChangeView } from "../../core/changes/index.ts";
import type { InstanceRow, ReleaseRow, Services, ServiceRow } from "../../core/services/index.ts";
import type { AgentLink } from "../instances/index.ts";
import { checkCapacity } from "./capacity.ts";
import { checkDependencies } from "./dependencies.ts";
import { checkEnvironment } from "./environment.ts";
import { checkGuards } from "./guards.ts";
import { checkHealth } from "./health.ts";
import { createMachine, type Machine } from "./machine.ts";
import { checkPorts } from "./ports.ts";
import { checkRoutes } from "./routes.ts";
import { checkRuntime } from "./runtime.ts";
import { checkSignature } from "./signature.ts";
import { checkStable } from "./stable.ts";
import type { Find, Neighbour, Situation } from "./situation.ts";

export interface ReleaseChecksDependencies {
  services: Pick<Services, "release" | "secretNames" | "instances" | "list" | "releasesById">;
  link: Pick<AgentLink, "observed">;
  /** Changes of an environment that have not ended. */
  activeChanges(environment: string): Promise<{ id: string; service: string; state: string }[]>;
  /** Whether the platform's own database answers. Throws when it does not. */
  database: { ping(): Promise<unknown> };
  dataDirectory: string;
  portRange: readonly [first: number, last: number];
  signatures: Situation["signatures"];
  /** The machine that the instances run on; a test brings its own. */
  machine?: Machine;
}

/** One family of questions a file; a new one is added to this list. */
const FAMILIES: Record<string, Find> = {
  environment: checkEnvironment,
  capacity: checkCapacity,
  ports: checkPorts,
  routes: checkRoutes,
  health: checkHealth,
  runtime: checkRuntime,
  signature: checkSignature,
  stable: checkStable,
  dependencies: checkDependencies,
  guards: checkGuards,
};

/** States in which a change does not share the traffic between two releases, and is not about to. */
const STANDING: ReadonlySet<string> = new Set(["requested", "baking", "draining"]);

/** What is asked before a release starts, beside what the drivers check themselves. */
export function createReleaseChecks(dependencies: ReleaseChecksDependencies): Check[] {
  const { services, link, activeChanges, database, dataDirectory, portRange, signatures } = dependencies;
  const { machine = createMachine() } = dependencies;

  async function look(change: ChangeView): Promise<Situation> {
    const named = (id: string | null): Promise<ReleaseRow> | null =>
      id === null ? null : services.release(id);
    const [candidate, stable] = await Promise.all([services.release(change.candidate), named(change.stable)]);
    const wanted = await services.instances();
    const observed = link.observed()?.instances ?? [];
    return {
      change,
      candidate,
      stable,
      secretNames: await services.secretNames(candidate),
      observed,
      neighbours: await neighboursOf(change.environment, wanted, observed),
      others: await othersThan(change),
      stableInstances: wanted.filter((each) => each.release === change.stable).length,
      dataDirectory,
      portRange,
      signatures,
      machine,
    };
  }

  async function othersThan({ service, environment }: ChangeView): Promise<ReleaseRow[]> {
    const rows = (await services.list()).filter(
      (each) => each.name !== service || each.environment !== environment,
    );
    const ids = rows.flatMap((each) => [each.stable_release, each.candidate_release]);
    return services.releasesById(ids.filter((id) => id !== null));
  }

  async function neighboursOf(
    environment: string,
    wanted: InstanceRow[],
    observed: ObservedInstance[],
  ): Promise<Neighbour[]> {
    const rows = (await services.list()).filter((each) => each.environment === environment);
    const ids = rows.map(servingOf).filter((id) => id !== null);
    const changes = (await activeChanges(environment)).filter((each) => !STANDING.has(each.state));
    const releases = new Map((await services.releasesById(ids)).map((each) => [each.id, each]));
    return rows.map((row) => {
      const serving = releases.get(servingOf(row) ?? "") ?? null;
      const isOfIt = (each: { release: string }) => each.release === serving?.id;
      const ready = observed.filter((each) => isOfIt(each) && each.state === "ready").length;
      const change = changes.find((each) => each.service === row.name) ?? null;
      return { row, serving, wanted: wanted.filter(isOfIt).length, ready, change };
    });
  }

  const families = Object.entries(FAMILIES).map(([name, find]): Check => ({
    name,
    find: async (change) => find(await look(change)),
  }));
  const reachable: Check = {
    name: "database",
    async find() {
      await database.ping();
      return [];
    },
  };
  return [...families, reachable];
}

/** Once a candidate has all the traffic it is what serves, although the one before is still there. */
function servingOf({ candidate_release, stable_release, weight }: ServiceRow): string | null {
  return weight === BUCKETS ? candidate_release : stable_release;
}
