import type { Arm } from "@mainstay/api";
import { DEFAULT_ANSWERS, type AnswerSettings } from "./answer-dressing.ts";
import { createTally, type Tally, type TallyKey } from "./tally.ts";
import { createUpstream, type Upstream } from "./upstream.ts";
import type { ArmTally, WorkerArm, WorkerRouting, WorkerService } from "./worker-protocol.ts";

/** How long the tally of an arm that left the table is still told: longer than the agent keeps it. */
const TALLY_RETENTION_MS = 15 * 60_000;

export interface RoutedArm {
  arm: Arm;
  upstreams: Upstream[];
  /** Round robin: the index of the next instance. */
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
  tallies(): ArmTally[];
  /** To be called when a request of this instance ended. */
  release(upstream: Upstream): void;
}

interface Route {
  path: string;
  service: RoutedService;
}

interface RetainedTally {
  tally: Tally;
  leftAtMs: number | null;
}

const ANY_HOST = "*";

/** The table of one worker: which host and path lead to which service, arms and instances. */
export function createRoutingTable(nowMs: () => number): RoutingTable {
  const upstreams = new Map<string, Upstream>();
  const retained = new Map<string, RetainedTally>();
  const leaving = new Set<Upstream>();
  let routes = new Map<string, Route[]>();
  let services = new Map<string, RoutedService>();

  function upstreamOf(instance: { id: string; port: number }): Upstream {
    const known = upstreams.get(instance.id);
    if (known?.port === instance.port) {
      known.state = "routed";
      return known;
    }
    if (known) leaving.add(known);
    const created = createUpstream(instance.id, instance.port);
    upstreams.set(instance.id, created);
    return created;
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
    const { environment } = service;
    const tally = tallyOf({ service: service.service, environment, arm, release: routed.release });
    return { arm, tally, upstreams: routed.instances.map(upstreamOf), next: 0 };
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
      answers: service.answers ?? DEFAULT_ANSWERS,
    };
  }

  function closeIfIdle(upstream: Upstream): void {
    if (upstream.state === "routed" || upstream.inflight > 0) return;
    leaving.delete(upstream);
    if (upstreams.get(upstream.id) === upstream) upstreams.delete(upstream.id);
    void upstream.pool.destroy();
  }

  function forgetOldTallies(): void {
    const now = nowMs();
    for (const [name, each] of retained) {
      if (each.leftAtMs !== null && now - each.leftAtMs > TALLY_RETENTION_MS) retained.delete(name);
    }
  }

  return {
    match: (host, path) => findRoute(routes.get(host), path) ?? findRoute(routes.get(ANY_HOST), path),
    replace(routing) {
      const draining = new Set(routing.draining);
      for (const each of upstreams.values()) each.state = "removed";
      for (const each of retained.values()) each.leftAtMs ??= nowMs();
      const built = routing.services.map((each) => ({ spec: each, service: buildService(each) }));
      routes = sortRoutes(built);
      services = new Map(built.map(({ service }) => [service.key, service]));
      for (const each of [...upstreams.values(), ...leaving]) {
        if (each.state === "removed" && draining.has(each.id)) each.state = "draining";
        closeIfIdle(each);
      }
      forgetOldTallies();
    },
    current: (service) => services.get(service.key) ?? service,
    inflight() {
      const busy = [...upstreams.values(), ...leaving].filter((each) => each.inflight > 0);
      const counts: Record<string, number> = {};
      for (const each of busy) counts[each.id] = (counts[each.id] ?? 0) + each.inflight;
      return counts;
    },
    tallies: () => [...retained.values()].map((each) => each.tally.snapshot()),
    release(upstream) {
      upstream.inflight -= 1;
      if (upstream.state !== "routed") closeIfIdle(upstream);
    },
  };
}

function sortRoutes(services: { spec: WorkerService; service: RoutedService }[]): Map<string, Route[]> {
  const byHost = new Map<string, Route[]>();
  for (const { spec, service } of services) {
    for (const { host, path } of spec.routes) {
      const key = host?.toLowerCase() ?? ANY_HOST;
      const list = byHost.get(key) ?? [];
      list.push({ path: path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path, service });
      byHost.set(key, list);
    }
  }
  for (const list of byHost.values()) list.sort((a, b) => b.path.length - a.path.length);
  return byHost;
}

function findRoute(routes: Route[] | undefined, path: string): RoutedService | null {
  if (!routes) return null;
  for (const route of routes) if (isBelow(path, route.path)) return route.service;
  return null;
}

/** "/api" holds "/api", "/api/x" and "/api?x", but not "/apix". */
function isBelow(path: string, prefix: string): boolean {
  if (prefix === "/") return true;
  if (!path.startsWith(prefix)) return false;
  const next = path.charCodeAt(prefix.length);
  return Number.isNaN(next) || next === 0x2f || next === 0x3f;
}
