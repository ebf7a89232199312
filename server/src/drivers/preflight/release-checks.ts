import type { Check, ChangeView } from "../../core/changes/index.ts";
import type { ReleaseRow, Services } from "../../core/services/index.ts";
import type { AgentLink } from "../instances/index.ts";
import { checkCapacity } from "./capacity.ts";
import { checkEnvironment } from "./environment.ts";
import { checkGuards } from "./guards.ts";
import { checkHealth } from "./health.ts";
import { createMachine, type Machine } from "./machine.ts";
import { checkPorts } from "./ports.ts";
import { checkRuntime } from "./runtime.ts";
import { checkSignature } from "./signature.ts";
import { checkStable } from "./stable.ts";
import type { Find, Situation } from "./situation.ts";

export interface ReleaseChecksDependencies {
  services: Pick<Services, "release" | "secretNames" | "instances">;
  link: Pick<AgentLink, "observed">;
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
  health: checkHealth,
  runtime: checkRuntime,
  signature: checkSignature,
  stable: checkStable,
  guards: checkGuards,
};

/** What is asked before a release starts, beside what the drivers check themselves. */
export function createReleaseChecks(dependencies: ReleaseChecksDependencies): Check[] {
  const { services, link, database, dataDirectory, portRange, signatures } = dependencies;
  const { machine = createMachine() } = dependencies;

  async function look(change: ChangeView): Promise<Situation> {
    const named = (id: string | null): Promise<ReleaseRow> | null =>
      id === null ? null : services.release(id);
    const [candidate, stable] = await Promise.all([services.release(change.candidate), named(change.stable)]);
    const wanted = await services.instances();
    return {
      change,
      candidate,
      stable,
      secretNames: await services.secretNames(candidate),
      observed: link.observed()?.instances ?? [],
      stableInstances: wanted.filter((each) => each.release === change.stable).length,
      dataDirectory,
      portRange,
      signatures,
      machine,
    };
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
