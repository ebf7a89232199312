import { describe, expect, it } from "vitest";
import { createRoutingTable } from "./routing-table.ts";
import type { WorkerRouting, WorkerService } from "./worker-protocol.ts";

function service(
  name: string,
  routes: WorkerService["routes"],
  changes: Partial<WorkerService> = {},
): WorkerService {
  return {
    service: name,
    environment: "production",
    routes,
    change: null,
    assignmentHeader: null,
    weight: 0,
    stable: null,
    candidate: null,
    requestTimeoutMs: 1000,
    connections: { balance: "round-robin", drainTimeoutMs: 1000, holdTimeoutMs: 0 },
    maintenance: null,
    ...changes,
  };
}

function routing(services: WorkerService[], draining: string[] = []): WorkerRouting {
  return { revision: 1, generation: 1, cookieKey: "", services, draining };
}

function arm(release: string, ...instances: [string, number][]) {
  return { release, instances: instances.map(([id, port]) => ({ id, port })) };
}

describe("the routing table", () => {
  const table = createRoutingTable(() => 0);
  table.replace(
    routing([
      service("site", [{ host: "shop.test", path: "/" }]),
      service("api", [
        { host: "Shop.Test", path: "/api/" },
        { host: null, path: "/api/v2" },
      ]),
      service("rest", [{ host: null, path: "/" }]),
    ]),
  );

  it.each([
    ["shop.test", "/", "site"],
    ["shop.test", "/api", "api"],
    ["shop.test", "/api/x", "api"],
    ["shop.test", "/api?x", "api"],
    ["shop.test", "/apix", "site"],
    ["shop.test", "/api/v2", "api"],
    ["other.test", "/api", "rest"],
    ["other.test", "/api/v2/x", "api"],
  ])("leads %s%s to %s", (host, path, expected) => {
    expect(table.match(host, path)?.service).toBe(expected);
  });

  it("leads nowhere when nothing matches", () => {
    const narrow = createRoutingTable(() => 0);
    expect(narrow.match("a", "/")).toBeNull();
    narrow.replace(routing([service("api", [{ host: "a", path: "/api" }])]));
    expect([narrow.match("a", "/"), narrow.match("b", "/api")]).toEqual([null, null]);
  });

  it("keeps the connections of an instance that stays, and follows one that moved", () => {
    const moving = createRoutingTable(() => 0);
    const at = (port: number) =>
      routing([service("a", [{ host: null, path: "/" }], { stable: arm("r", ["i", port]) })]);
    const upstream = () => moving.match("x", "/")?.stable?.upstreams[0];
    moving.replace(at(1));
    const first = upstream();
    moving.replace(at(1));
    expect(upstream()).toBe(first);
    moving.replace(at(2));
    expect(upstream()?.port).toBe(2);
    expect(first?.state).toBe("removed");
    expect(first?.pool.destroyed).toBe(true);
  });

  it("closes an instance that left when its last request has ended, and tells draining from gone", () => {
    const leaving = createRoutingTable(() => 0);
    leaving.replace(
      routing([service("a", [{ host: null, path: "/" }], { stable: arm("r", ["i", 1], ["j", 2]) })]),
    );
    const [draining, removed] = leaving.match("x", "/")?.stable?.upstreams ?? [];
    if (!draining || !removed) throw new Error("not routed");
    draining.inflight = 2;
    removed.inflight = 1;
    leaving.replace(routing([], ["i"]));
    expect([draining.state, removed.state]).toEqual(["draining", "removed"]);
    expect(leaving.inflight()).toEqual({ i: 2, j: 1 });
    leaving.release(draining);
    expect(draining.pool.destroyed).toBe(false);
    leaving.release(draining);
    leaving.release(removed);
    expect([draining.pool.destroyed, removed.pool.destroyed]).toEqual([true, true]);
    expect(leaving.inflight()).toEqual({});
  });

  it("counts on where it was when an arm returns, and forgets it long after it left", () => {
    let now = 0;
    const counting = createRoutingTable(() => now);
    const routed = routing([service("a", [{ host: null, path: "/" }], { stable: arm("r") })]);
    counting.replace(routed);
    counting.match("x", "/")?.stable?.tally.failed(3);
    counting.replace(routing([]));
    now += 60_000;
    counting.replace(routed);
    expect(counting.tallies()[0]?.errors[3]).toBe(1);
    counting.replace(routing([]));
    now += 3_600_000;
    counting.replace(routing([]));
    expect(counting.tallies()).toEqual([]);
  });
});
