import type { WorkerArm, WorkerRouting, WorkerService } from "../proxy/worker-protocol.ts";

/** Where requests go that HAProxy leaves to the Node worker behind it. */
export const NODE = "node";
/** HAProxy counts weights from 0 to 256. */
const MAX_WEIGHT = 256;
const CHALLENGES = "/.well-known/acme-challenge/";
const VISIBLE = /^[!-~]+$/;
const ARMS = ["stable", "candidate"] as const;

export interface EngineServer {
  /** `<instance>-<port>`: an instance that came back on another port is another server. */
  name: string;
  port: number;
  weight: number;
}

/** One arm of one service. */
export interface EngineBackend {
  /** `<environment>.<service>.<arm>` */
  name: string;
  balance: "roundrobin" | "leastconn";
  timeoutMs: number;
  compression: boolean;
  securityHeaders: boolean;
  servers: EngineServer[];
}

/** What HAProxy must know of a routing table. */
export interface EngineTable {
  /** From `<host><path>/` (the host `*` is any) to `<environment>.<service>`, or to NODE. */
  routes: Map<string, string>;
  /**
   * Of services with a candidate, from `<environment>.<service>` to
   * `<weight of the candidate>|<salt of the hash>|<assignment header>`.
   */
  rows: Map<string, string>;
  backends: EngineBackend[];
  /** The headers that carry users' ids, in lower case. */
  headers: string[];
  /** Such as ".example.com", the longest first. */
  wildcards: string[];
}

/** A routing table in HAProxy's terms. What it cannot do is routed to the Node worker. */
export function engineTableOf({ services }: Pick<WorkerRouting, "services">): EngineTable {
  const routed = services.filter((each) => each.maintenance === null);
  const headers = routed.flatMap((each) => each.assignmentHeader?.toLowerCase() ?? []);
  const hosts = services.flatMap((each) => each.routes.flatMap(({ host }) => host?.toLowerCase() ?? []));
  const wildcards = hosts.filter((host) => host.startsWith("*.")).map((host) => host.slice(1));
  return {
    routes: new Map([...services.flatMap(challengesOf), ...firstOfEach(services.flatMap(routesOf))]),
    rows: new Map(routed.filter(({ candidate }) => candidate).map((each) => [keyOf(each), rowOf(each)])),
    backends: routed.flatMap((each) => ARMS.map((arm) => backendOf(each, arm))),
    headers: [...new Set(headers)].toSorted(),
    wildcards: [...new Set(wildcards)].toSorted((a, b) => b.length - a.length || a.localeCompare(b)),
  };
}

/** What only a new process can change: everything but servers, routes and rows. */
export function structureOf({ backends, headers, wildcards }: EngineTable): string {
  const bare = backends.map((each) => ({ ...each, servers: [] }));
  return JSON.stringify([bare, headers, wildcards]);
}

function keyOf({ environment, service }: WorkerService): string {
  return `${environment}.${service}`;
}

function routesOf(service: WorkerService): [string, string][] {
  const target = service.maintenance === null ? keyOf(service) : NODE;
  // A target holds visible characters only (RFC 9112, section 3.2): a path with others matches nothing.
  const reachable = service.routes.filter(({ path }) => VISIBLE.test(path));
  return reachable.map(({ host, path }) => {
    const directory = path.endsWith("/") ? path : `${path}/`;
    return [`${host?.toLowerCase() ?? "*"}${directory}`, target];
  });
}

/** Of services that want the same the first has it, as in the Node engine. */
function firstOfEach(routes: readonly [string, string][]): Map<string, string> {
  const first = new Map<string, string>();
  for (const [key, target] of routes) if (!first.has(key)) first.set(key, target);
  return first;
}

/** What certificate authorities ask for is answered by the Node worker, whatever the host (RFC 8555, 8.3). */
function challengesOf({ routes }: WorkerService): [string, string][] {
  return routes.map(({ host }) => [`${host?.toLowerCase() ?? "*"}${CHALLENGES}`, NODE]);
}

function rowOf({ service, change, weight, assignmentHeader }: WorkerService): string {
  return `${weight}|release:${service}:${change ?? ""}:|${assignmentHeader?.toLowerCase() ?? ""}`;
}

function backendOf(service: WorkerService, arm: (typeof ARMS)[number]): EngineBackend {
  const { connections, requestTimeoutMs, answers } = service;
  return {
    name: `${keyOf(service)}.${arm}`,
    balance: connections.balance === "least-connections" ? "leastconn" : "roundrobin",
    timeoutMs: requestTimeoutMs,
    compression: answers?.compression ?? true,
    securityHeaders: answers?.securityHeaders ?? false,
    servers: serversOf(service[arm]),
  };
}

function serversOf(arm: WorkerArm | null): EngineServer[] {
  const instances = arm?.instances ?? [];
  const heaviest = Math.max(1, ...instances.map((each) => each.weight ?? 1));
  const scale = Math.min(1, MAX_WEIGHT / heaviest);
  return instances.map(({ id, port, weight = 1 }) => ({
    name: `${id}-${port}`,
    port,
    weight: Math.max(1, Math.round(weight * scale)),
  }));
}
