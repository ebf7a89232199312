import type { ServiceRouting } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { LATENCY_BOUNDS_MS } from "../proxy/latency-bounds.ts";
import type { ArmTally, WorkerCounters } from "../proxy/worker-protocol.ts";
import { createCounterSums, RETENTION_MS } from "./counter-sums.ts";

const SERVICE: ServiceRouting = {
  service: "shop",
  environment: "production",
  routes: [],
  change: "chg_1",
  assignmentHeader: null,
  weight: 0,
  proven: 0,
  stable: { release: "rel_1", instances: [] },
  candidate: { release: "rel_2", instances: [] },
  requestTimeoutMs: 1,
  drainTimeoutMs: 1,
  connections: { balance: "round-robin", weights: [], drainTimeoutMs: 1, holdTimeoutMs: 1 },
  maintenance: null,
};

function tally(arm: ArmTally["arm"], release: string, count: number): ArmTally {
  const groups = () => Array.from({ length: 20 }, (_, group) => (group === 0 ? count : 0));
  const latency = Array.from({ length: 20 }, () => LATENCY_BOUNDS_MS.map(() => 0).concat(0));
  const requests = [{ method: "GET", code: "2xx" as const, count }];
  return {
    service: "shop",
    environment: "production",
    arm,
    release,
    total: groups(),
    errors: groups(),
    latency,
    latencySumMs: count * 3,
    requests,
    retried: count,
    ejected: 0,
  };
}

function counters(bootId: string, changes: Partial<WorkerCounters>): WorkerCounters {
  const status = { bootId, pid: 1, restarts: 0, revision: 1, generation: 1, httpsRevision: null };
  const none = { instances: {}, streams: {}, lost: {}, refused: {}, sentAway: {} };
  return { ...status, ...none, inflight: 1, arms: [], aborted: 0, unrouted: 0, held: 0, ...changes };
}

function all(...newest: WorkerCounters[]) {
  return { counters: newest, isComplete: true };
}

describe("the sums of the workers' counters", () => {
  it("add up all workers", () => {
    const sums = createCounterSums();
    const refused = { malformed: 1 };
    const first = { arms: [tally("stable", "rel_1", 2)], lost: { refused: 1 }, aborted: 1, refused, held: 1 };
    const arms = [tally("stable", "rel_1", 3), tally("candidate", "rel_2", 1)];
    const second = { arms, unrouted: 4, refused, sentAway: { websocket: 2 }, held: 2 };
    sums.update(all(counters("a", first), counters("b", second)));
    const total = sums.total([SERVICE]);
    expect(total).toMatchObject({ lost: { refused: 1 }, aborted: 1, unrouted: 4, inflight: 2 });
    expect(total).toMatchObject({ refused: { malformed: 2 }, sentAway: { websocket: 2 }, held: 3 });
    expect(total.attempts.map((each) => [each.release, each.retried])).toEqual([
      ["rel_1", 5],
      ["rel_2", 1],
    ]);
    expect(total.services).toHaveLength(1);
    expect(total.services[0]?.change).toBe("chg_1");
    expect(total.services[0]?.arms.map((each) => [each.arm, each.release, each.total[0]])).toEqual([
      ["stable", "rel_1", 5],
      ["candidate", "rel_2", 1],
    ]);
    expect(total.services[0]?.arms.map((each) => each.latencySumMs)).toEqual([15, 3]);
    expect(total.requests.map((each) => [each.release, each.count])).toEqual([
      ["rel_1", 5],
      ["rel_2", 1],
    ]);
  });

  it("never fall when a worker is restarted", () => {
    const sums = createCounterSums();
    sums.update(
      all(counters("a", { arms: [tally("stable", "rel_1", 7)], lost: { refused: 1 }, unrouted: 1 })),
    );
    sums.update(all(counters("b", { arms: [tally("stable", "rel_1", 2)], lost: { worker_killed: 3 } })));
    const total = sums.total([SERVICE]);
    expect(total.services[0]?.arms[0]?.total[0]).toBe(9);
    expect(total).toMatchObject({ lost: { refused: 1, worker_killed: 3 }, unrouted: 1, inflight: 1 });
    sums.update(all(counters("b", { arms: [tally("stable", "rel_1", 4)] })));
    expect(sums.total([SERVICE]).services[0]?.arms[0]?.total[0]).toBe(11);
  });

  it("count one that leaves beside its successor, and once when it does not answer for a moment", () => {
    const sums = createCounterSums();
    const total = () => sums.total([SERVICE]).services[0]?.arms[0]?.total[0];
    const leaver = (count: number) => counters("a", { arms: [tally("stable", "rel_1", count)] });
    const successor = (count: number) => counters("b", { arms: [tally("stable", "rel_1", count)] });
    sums.update(all(leaver(7)));
    sums.update(all(successor(1), leaver(8)));
    expect(total()).toBe(9);
    sums.update({ counters: [successor(2)], isComplete: false });
    expect(total()).toBe(10);
    sums.update(all(successor(3), leaver(9)));
    expect(total()).toBe(12);
    sums.update(all(successor(4)));
    expect(total()).toBe(13);
  });

  it("tell of an arm only while it is routed, but of its requests for longer", () => {
    const sums = createCounterSums();
    const ended = { ...SERVICE, stable: SERVICE.candidate, candidate: null, change: null };
    sums.update(all(counters("a", { arms: [tally("stable", "rel_1", 7), tally("stable", "rel_2", 1)] })));
    expect(sums.total([ended]).services[0]?.arms.map((each) => each.release)).toEqual(["rel_2"]);
    expect(sums.total([ended]).requests).toHaveLength(2);
  });

  it("forget an arm that has not been routed for long, and begin anew if it returns", () => {
    const sums = createCounterSums();
    const update = () => sums.update(all(counters("a", { arms: [tally("stable", "rel_1", 7)] })));
    update();
    sums.keep([SERVICE], 0);
    sums.keep([], 1);
    sums.keep([], RETENTION_MS);
    expect(sums.total([]).requests).toHaveLength(1);
    sums.keep([], RETENTION_MS + 2);
    expect(sums.total([]).requests).toEqual([]);
    sums.keep([SERVICE], RETENTION_MS + 3);
    expect(sums.total([SERVICE]).requests).toHaveLength(1);
  });
});
