import type { DesiredState } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { computeRouting, type Routable } from "./routing.ts";

const SERVICE: DesiredState["services"][number] = {
  service: "shop",
  environment: "production",
  routes: [{ host: null, path: "/" }],
  change: "chg_1",
  assignmentHeader: null,
  weight: 2500,
  proven: 1000,
  stable: { release: "rel_1", instances: ["a", "b", "gone"] },
  candidate: { release: "rel_2", instances: ["c"] },
  requestTimeoutMs: 1000,
  drainTimeoutMs: 1000,
  connections: { balance: "round-robin", weights: [3], drainTimeoutMs: 1000, holdTimeoutMs: 1000 },
  maintenance: null,
};
const DESIRED: DesiredState = { generation: 4, leaseTtlMs: 1000, instances: [], services: [SERVICE] };

function routable(id: string, changes: Partial<Routable> = {}): [string, Routable] {
  return [id, { id, port: 20_000, isRunning: true, isReady: true, ...changes }];
}

function idsOf(
  instances: [string, Routable][],
  changes: { draining?: string[]; leaseExpired?: boolean } = {},
) {
  const input = {
    desired: DESIRED,
    instances: new Map(instances),
    draining: [],
    leaseExpired: false,
    ...changes,
  };
  const [service] = computeRouting(input).services;
  const ids = (arm: "stable" | "candidate") => service?.[arm]?.instances.map((each) => each.id);
  return { stable: ids("stable"), candidate: ids("candidate"), weight: service?.weight };
}

describe("the routing", () => {
  it("sends traffic to ready instances only", () => {
    const instances = [routable("a"), routable("b", { isReady: false }), routable("c")];
    expect(idsOf(instances)).toEqual({ stable: ["a"], candidate: ["c"], weight: 2500 });
  });

  it("sends it to all that run when none is ready: the probe may be wrong, an empty arm always is", () => {
    const instances = [routable("a", { isReady: false }), routable("b", { isReady: false })];
    expect(idsOf(instances).stable).toEqual(["a", "b"]);
  });

  it("leaves out what does not run, has no port, is draining or is not known", () => {
    const instances = [routable("a", { isRunning: false }), routable("b", { port: null }), routable("c")];
    expect(idsOf(instances, { draining: ["c"] })).toMatchObject({ stable: [], candidate: [] });
  });

  it("gives each instance the weight of its place, whoever else is ready", () => {
    const instances = new Map([routable("a"), routable("b")]);
    const input = { desired: DESIRED, draining: [], leaseExpired: false };
    const weights = (among: typeof instances) =>
      computeRouting({ ...input, instances: among }).services[0]?.stable?.instances.map(
        (each) => each.weight,
      );
    expect(weights(instances)).toEqual([3, 1]);
    instances.delete("a");
    expect(weights(instances)).toEqual([1]);
  });

  it("uses the proven weight once the lease has expired", () => {
    expect(idsOf([], { leaseExpired: true }).weight).toBe(1000);
  });
});
