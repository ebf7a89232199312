import type { Arm } from "@mainstay/api";
import { DEFAULT_ANSWERS, type AnswerSettings } from "./answer-dressing.ts";
import { createRoutes, type Routes } from "./routes.ts";
import { createTally, type Tally, type TallyKey } from "./tally.ts";
import { closeUpstream, createUpstream, drainStreams, stopDraining, type Upstream } from "./upstream.ts";
import type {
  ArmTally,
  WorkerArm,
  WorkerConnections,
  WorkerRouting,
  WorkerService,
} from "./worker-protocol.ts";

/** How long the tally of an arm that left the table is still told: longer than the agent keeps it. */
const TALLY_RETENTION_MS = 15 * 60_000;

export interface RoutedArm {
  arm: Arm;
  upstreams: Upstream[];
  balance: WorkerConnections["balance"];
  /** Whose turn it is among instances that are equally idle. */
  next: number;
  tally: Tally;
}

export interface RoutedService {
  /** Environment and service; the same in every table. */
  key: string;
  service: string;
  /** "" when there is no change: the salt of the assignment. */
  change: string;
  assignmentHeader: string | null;
  weight: number;
  stable: RoutedArm | null;
  candidate: RoutedArm | null;
  requestTimeoutMs: number;
  holdTimeoutMs: number;
  maintenance: WorkerService["maintenance"];
  answers: AnswerSettings;
}

export interface RoutingTable {
  /** The service of a host (lower case, without port) and path; null when nothing is routed there. */
  match(host: string, path: string): RoutedService | null;
  /**
   * Takes a new table, at once and as a whole; pools of removed instances close when their last request ends.
   */
  replace(routing: WorkerRouting): void;
  /** The same service as the table in force has it, or the one given when it is gone. */
  current(service: RoutedService): RoutedService;
  /** Requests in flight, of instances that have any. */
  inflight(): Record<string, number>;
  /** Of those, whose answer has begun and goes on. */
  streams(): Record<string, number>;
  /** Lets every stream go when its drain time is over, at the latest after `limitMs`. */
  drainStreams(limitMs: number): void;
  tallies(): ArmTally[];
  /** To be called when a request of this instance ended. */
  release(upstream: Upstream): void;
}

interface RetainedTally {
  tally: Tally;
  leftAtMs: number | null;
}

/** The table of one worker: which host and path lead to which service, arms and instances. */
export function createRoutingTable(nowMs: () => number): RoutingTable {
  const upstreams = new Map<string, Upstream>();
  const retained = new Map<string, RetainedTally>();
  const leaving = new Set<Upstream>();
  let routes: Routes<RoutedService> = createRoutes([]);
  let services = new Map<string, RoutedService>();

  function upstreamOf({ id, port, weight = 1 }: WorkerArm["instances"][number], drainTimeoutMs: number) {
    const known = upstreams.get(id);
    if (known && known.port !== port) leaving.add(known);
    const upstream = known?.port === port ? known : createUpstream(id, port);
    upstreams.set(id, upstream);
    stopDraining(upstream);
    return Object.assign(upstream, { state: "routed" as const, weight, drainTimeoutMs });
  }

  function tallyOf(key: TallyKey): Tally {
    const name = JSON.stringify([key.environment, key.service, key.arm, key.release]);
    const known = retained.get(name) ?? { tally: createTally(key), leftAtMs: null };
    known.leftAtMs = null;
    retained.set(name, known);
    return known.tally;
  }

  function buildArm(service: WorkerService, arm: Arm, routed: WorkerArm | null): RoutedArm | null {
    if (!routed) return null;
    const { environment, connections } = service;
    const { balance, drainTimeoutMs } = connections;
    const tally = tallyOf({ service: service.service, environment, arm, release: routed.release });
    const members = routed.instances.map((each) => upstreamOf(each, drainTimeoutMs));
    return { arm, tally, upstreams: members, balance, next: 0 };
  }

  function buildService(service: WorkerService): RoutedService {
    return {
      key: JSON.stringify([service.environment, service.service]),
      service: service.service,
      change: service.change ?? "",
      assignmentHeader: service.assignmentHeader?.toLowerCase() ?? null,
      weight: service.weight,
      stable: buildArm(service, "stable", service.stable),
      candidate: buildArm(service, "candidate", service.candidate),
      requestTimeoutMs: service.requestTimeoutMs,
      holdTimeoutMs: service.connections.holdTimeoutMs,
      maintenance: service.maintenance,
      answers: service.answers ?? DEFAULT_ANSWERS,
    };
  }

  function closeIfIdle(upstream: Upstream): void {
    if (upstream.state === "routed" || upstream.inflight > 0) return;
    leaving.delete(upstream);
    stopDraining(upstream);
    if (upstreams.get(upstream.id) === upstream) upstreams.delete(upstream.id);
    closeUpstream(upstream);
  }

  function all(): Upstream[] {
    return [...upstreams.values(), ...leaving];
  }

  /** Of the instances that have any. */
  function countBy(count: (each: Upstream) => number): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const each of all()) {
      const own = count(each);
      if (own > 0) counts[each.id] = (counts[each.id] ?? 0) + own;
    }
    return counts;
  }

  function forgetOldTallies(): void {
    const now = nowMs();
    for (const [name, each] of retained) {
      if (each.leftAtMs !== null && now - each.leftAtMs > TALLY_RETENTION_MS) retained.delete(name);
    }
  }

  return {
    match: (host, path) => routes.find(host, path),
    replace(routing) {
      const draining = new Set(routing.draining);
      const wasDraining = new Set(all().filter((each) => each.state === "draining"));
      for (const each of upstreams.values()) each.state = "removed";
      for (const each of retained.values()) each.leftAtMs ??= nowMs();
      const built = routing.services.map((each) => ({ spec: each, service: buildService(each) }));
      routes = createRoutes(
        built.flatMap(({ spec, service }) => spec.routes.map((each) => ({ ...each, target: service }))),
      );
      services = new Map(built.map(({ service }) => [service.key, service]));
      for (const each of all()) {
        if (each.state === "removed" && draining.has(each.id)) each.state = "draining";
        if (each.state === "draining" && !wasDraining.has(each)) drainStreams(each);
        closeIfIdle(each);
      }
      forgetOldTallies();
    },
    current: (service) => services.get(service.key) ?? service,
    inflight: () => countBy((each) => each.inflight),
    streams: () => countBy((each) => each.streams.size),
    drainStreams(limitMs) {
      for (const each of all()) drainStreams(each, limitMs);
    },
    tallies: () => [...retained.values()].map((each) => each.tally.snapshot()),
    release(upstream) {
      upstream.inflight -= 1;
      if (upstream.state !== "routed") closeIfIdle(upstream);
    },
  };
}
