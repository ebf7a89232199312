import type { DesiredState, ServiceRouting } from "@mainstay/api";
import type { WorkerArm, WorkerRouting, WorkerService } from "../proxy/worker-protocol.ts";

/** Longer than the server's own limits, so that it is the one to say what is wrong. */
/** A restart of the server is waited for. */
const API_CONNECTIONS = { balance: "round-robin", drainTimeoutMs: 30_000, holdTimeoutMs: 5000 } as const;
const API_TIMEOUT_MS = 3_600_000;

/** What routing must know of an instance. */
export interface Routable {
  id: string;
  port: number | null;
  isRunning: boolean;
  isReady: boolean;
}

export interface RoutingInput {
  desired: DesiredState;
  instances: ReadonlyMap<string, Routable>;
  draining: string[];
  /** After the lease has expired the proven weights are in force. */
  leaseExpired: boolean;
}

export type RoutingContent = Omit<WorkerRouting, "revision" | "cookieKey">;

/** The table for the proxy workers: ready instances only, or all that run when none is ready (fail open). */
export function computeRouting({ desired, instances, draining, leaseExpired }: RoutingInput): RoutingContent {
  function arm(routed: ServiceRouting["stable"], weights: number[]): WorkerArm | null {
    if (!routed) return null;
    const weightOf = new Map(routed.instances.map((id, place) => [id, weights[place] ?? 1]));
    const running = routed.instances
      .flatMap((id) => instances.get(id) ?? [])
      .filter((each) => each.isRunning && each.port !== null && !draining.includes(each.id));
    const ready = running.filter((each) => each.isReady);
    const chosen = ready.length > 0 ? ready : running;
    return {
      release: routed.release,
      instances: chosen.map(({ id, port }) => ({ id, port: port ?? 0, weight: weightOf.get(id) ?? 1 })),
    };
  }

  return {
    generation: desired.generation,
    services: desired.services
      .map((each): WorkerService => ({
        service: each.service,
        environment: each.environment,
        routes: each.routes,
        change: each.change,
        assignmentHeader: each.assignmentHeader,
        weight: weightInForce(each, leaseExpired),
        stable: arm(each.stable, each.connections.weights),
        candidate: arm(each.candidate, each.connections.weights),
        requestTimeoutMs: each.requestTimeoutMs,
        connections: connectionsOf(each),
        maintenance: each.maintenance,
        ...(each.answers ? { answers: each.answers } : {}),
      }))
      .concat(desired.api ? [apiService(desired.api)] : []),
    draining,
  };
}

function connectionsOf({ connections }: ServiceRouting): WorkerService["connections"] {
  const { balance, drainTimeoutMs, holdTimeoutMs } = connections;
  return { balance, drainTimeoutMs, holdTimeoutMs };
}

/** The server itself as a service of the data plane: its API and console under a host of their own. */
function apiService({ host, port }: NonNullable<DesiredState["api"]>): WorkerService {
  return {
    service: "mainstay",
    environment: "mainstay",
    routes: [{ host, path: "/" }],
    change: null,
    assignmentHeader: null,
    weight: 0,
    stable: { release: "server", instances: [{ id: "mainstay-server", port, weight: 1 }] },
    candidate: null,
    requestTimeoutMs: API_TIMEOUT_MS,
    connections: API_CONNECTIONS,
    maintenance: null,
  };
}

export function weightInForce({ weight, proven }: ServiceRouting, leaseExpired: boolean): number {
  return leaseExpired ? proven : weight;
}
