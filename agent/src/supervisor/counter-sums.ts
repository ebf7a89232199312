import type { Arm, ArmCounters, Counters, ServiceRouting } from "@mainstay/api";
import { LATENCY_BOUNDS_MS } from "../proxy/latency-bounds.ts";
import type { ArmTally, WorkerCounters } from "../proxy/worker-protocol.ts";
import type { WorkersCounters } from "./workers.ts";

/**
 * How long the counts of an arm that left the routing table
 * are still told; shorter than the workers keep them.
 */
export const RETENTION_MS = 10 * 60_000;

const ARMS: Arm[] = ["stable", "candidate"];

export type Totals = Pick<
  WorkerCounters,
  "arms" | "lost" | "aborted" | "unrouted" | "refused" | "sentAway" | "held"
>;

export interface CounterSums {
  /** The newest counters of the workers; what those counted that are gone is kept. */
  update(newest: WorkersCounters): void;
  /** Forgets the arms that have not been routed for a while. */
  keep(services: ServiceRouting[], nowMs: number): void;
  /** The arms of the services as they are routed now; the requests of every arm that is remembered. */
  total(services: ServiceRouting[]): Omit<Counters, "bootId" | "at">;
}

/** Sums over all workers that never fall, whatever worker is restarted. */
export function createCounterSums(): CounterSums {
  /** By the worker's boot. */
  const latest = new Map<string, WorkerCounters>();
  const leftAtMs = new Map<string, number>();
  const forgotten = new Set<string>();
  let ended: Totals = { arms: [], lost: {}, aborted: 0, unrouted: 0, refused: {}, sentAway: {}, held: 0 };

  function sum(): Totals {
    const all = [ended, ...latest.values()].reduce(addTotals);
    return { ...all, arms: all.arms.filter((each) => !forgotten.has(keyOf(each))) };
  }

  return {
    update({ counters, isComplete }) {
      for (const each of counters) latest.set(each.bootId, each);
      // One that just does not answer may come again, with all it counted.
      if (!isComplete) return;
      const living = new Set(counters.map(({ bootId }) => bootId));
      for (const [bootId, each] of latest) {
        if (living.has(bootId)) continue;
        ended = addTotals(ended, each);
        latest.delete(bootId);
      }
    },
    keep(services, nowMs) {
      const routed = new Set(services.flatMap((each) => ARMS.map((arm) => keyOfRouted(each, arm))));
      for (const tally of [...ended.arms, ...[...latest.values()].flatMap((each) => each.arms)]) {
        const key = keyOf(tally);
        if (routed.has(key)) {
          leftAtMs.delete(key);
          forgotten.delete(key);
        } else if (nowMs - (leftAtMs.get(key) ?? nowMs) > RETENTION_MS) forgotten.add(key);
        else if (!leftAtMs.has(key)) leftAtMs.set(key, nowMs);
      }
      ended = { ...ended, arms: ended.arms.filter((each) => !forgotten.has(keyOf(each))) };
    },
    total(services) {
      const { arms, ...others } = sum();
      const inflight = [...latest.values()].reduce((count, each) => count + each.inflight, 0);
      return {
        latencyBoundsMs: [...LATENCY_BOUNDS_MS],
        services: services.map((each) => countersOf(each, arms)),
        requests: arms.flatMap(({ service, environment, release, arm, requests }) =>
          requests.map((each) => ({ service, environment, release, arm, ...each })),
        ),
        attempts: arms.map(({ service, environment, release, arm, retried, ejected }) => {
          return { service, environment, release, arm, retried, ejected };
        }),
        ...others,
        inflight,
      };
    },
  };
}

function keyOf({ environment, service, arm, release }: ArmTally): string {
  return JSON.stringify([environment, service, arm, release]);
}

/** What two workers counted, together. */
export function addTotals(a: Totals, b: Totals): Totals {
  const arms = new Map(a.arms.map((each) => [keyOf(each), each]));
  for (const each of b.arms) {
    const known = arms.get(keyOf(each));
    arms.set(keyOf(each), known ? addTally(known, each) : each);
  }
  return {
    arms: [...arms.values()],
    lost: addRecords(a.lost, b.lost),
    aborted: a.aborted + b.aborted,
    unrouted: a.unrouted + b.unrouted,
    refused: addRecords(a.refused, b.refused),
    sentAway: addRecords(a.sentAway, b.sentAway),
    held: a.held + b.held,
  };
}

function addTally(a: ArmTally, b: ArmTally): ArmTally {
  const requests = new Map(a.requests.map((each) => [`${each.method} ${each.code}`, each]));
  for (const each of b.requests) {
    const name = `${each.method} ${each.code}`;
    requests.set(name, { ...each, count: each.count + (requests.get(name)?.count ?? 0) });
  }
  return {
    ...a,
    total: addArrays(a.total, b.total),
    errors: addArrays(a.errors, b.errors),
    latency: a.latency.map((row, group) => addArrays(row, b.latency[group] ?? [])),
    latencySumMs: a.latencySumMs + b.latencySumMs,
    requests: [...requests.values()],
    retried: a.retried + b.retried,
    ejected: a.ejected + b.ejected,
  };
}

function addArrays(a: number[], b: number[]): number[] {
  return a.map((value, index) => value + (b[index] ?? 0));
}

function addRecords(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const sum = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

function keyOfRouted(routing: ServiceRouting, arm: Arm): string {
  const { environment, service } = routing;
  return JSON.stringify([environment, service, arm, routing[arm]?.release]);
}

function countersOf(routing: ServiceRouting, tallies: ArmTally[]): Counters["services"][number] {
  const { service, environment, change } = routing;
  const arms = ARMS.flatMap((arm): ArmCounters[] => {
    const tally = tallies.find((each) => keyOf(each) === keyOfRouted(routing, arm));
    if (!tally) return [];
    const { release, total, errors, latency, latencySumMs } = tally;
    return [{ arm, release, total, errors, latency, latencySumMs }];
  });
  return { service, environment, change, arms };
}
