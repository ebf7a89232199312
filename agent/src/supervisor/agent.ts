import type { Counters, DesiredState, ObservedState } from "@mainstay/api";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../system/log.ts";
import { readMachineBootId } from "../system/process-table.ts";
import { serveAgentApi } from "./agent-api.ts";
import type { AgentOptions } from "./agent-options.ts";
import { openAgentStore } from "./agent-store.ts";
import { createCounterSums } from "./counter-sums.ts";
import { createEvents } from "./events.ts";
import { createFleet } from "./fleet.ts";
import { createLease } from "./lease.ts";
import { capLogs } from "./log-files.ts";
import { createPorts, isPortFree, readEphemeralRange } from "./ports.ts";
import { createPublisher } from "./publisher.ts";
import { createResources } from "./resources.ts";
import { computeRouting, weightInForce } from "./routing.ts";
import { createWorkers } from "./workers.ts";

const DEFAULT_PORTS = { first: 20_000, last: 29_999 };
const DEFAULT_DRAIN_TIMEOUT_MS = 30_000;
const EMPTY: DesiredState = { generation: 0, leaseTtlMs: 10_000, instances: [], services: [] };
/** How long an answer to PUT /v1/desired waits for the workers to have the new table. */
const PUSH_PATIENCE_MS = 1000;
const COUNT_INTERVAL_MS = 1000;
const LOG_CHECK_INTERVAL_MS = 10_000;
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;

export interface Agent {
  /** Leaves the instances running for the next agent. */
  stop(): Promise<void>;
  stopInstances(): Promise<void>;
  killInstances(): Promise<void>;
}

/** The agent proper: makes processes and routing what the server desires, and holds on to that without it. */
export async function startAgent(options: AgentOptions, log: Log): Promise<Agent> {
  const bootId = randomUUID();
  const machineBootId = readMachineBootId();
  const store = await openAgentStore(options.dataDirectory, log);
  const events = createEvents(() => new Date());
  const sums = createCounterSums();
  const usageOf = createResources(() => performance.now());
  const drainTimeouts = new Map<string, number>();
  let desired = store.saved.desired ?? EMPTY;
  let leaseExpired = store.saved.leaseExpired;
  let counting: Promise<void> | null = null;
  let expiring: Promise<void> = Promise.resolve();

  const workers = createWorkers({
    runtimeDirectory: options.runtimeDirectory,
    count: options.workers,
    onRestart(slot, { pid, restarts }) {
      log.warn({ worker: slot, pid, restarts }, "a proxy worker was restarted");
      events.emit("proxy.restarted", String(slot), { pid, restarts });
    },
  });

  const fleet = createFleet({
    agentId: store.agentId,
    ports: createPorts({
      range: options.ports ?? DEFAULT_PORTS,
      ephemeral: readEphemeralRange(),
      isFree: isPortFree,
      start: Math.random(),
    }),
    baseEnvironment: pick(process.env, ["PATH", "HOME"]),
    onChange() {
      void publisher.publish();
      void store.saveProcesses({ machineBootId, processes: fleet.facts() });
    },
    onEvent: events.emit,
    log,
  });

  const publisher = createPublisher({
    content: () =>
      computeRouting({ desired, leaseExpired, instances: fleet.routable(), draining: fleet.draining() }),
    cookieKey: store.cookieKey,
    firstRevision: Math.max(store.saved.revision + 1, Date.now()),
    push: workers.push,
    save: store.saveRouting,
  });

  const lease = createLease({ nowMs: () => performance.now(), schedule: setTimeout, onExpired });

  function onExpired(): void {
    expiring = expire().catch((error: unknown) => log.error({ error: String(error) }, "falling back failed"));
  }

  /** Back to what was proven; written to the journal before it takes effect. */
  async function expire(): Promise<void> {
    const falling = desired.services.filter((each) => each.weight !== each.proven);
    for (const { service, environment, change, weight, proven } of falling) {
      const entry = { act: "lease-expired" as const, service, environment, change, detail: { weight, proven } };
      await store.journal.append(entry).catch((error: unknown) => {
        log.error({ error: String(error) }, "the journal could not be written");
      });
    }
    leaseExpired = true;
    log.warn({ generation: desired.generation, services: falling.length }, "the lease of the server has expired");
    events.emit("lease.expired", "lease", { services: falling.map((each) => each.service) });
    await Promise.all([publisher.publish(), store.saveDesired({ desired, leaseExpired })]);
  }

  /** null when a later generation is applied already. */
  async function put(next: DesiredState): Promise<ObservedState | null> {
    await expiring;
    if (next.generation < desired.generation) return null;
    lease.renew(next.leaseTtlMs);
    const isNew = leaseExpired || JSON.stringify(next) !== JSON.stringify(desired);
    desired = next;
    leaseExpired = false;
    for (const each of next.services) drainTimeouts.set(serviceKey(each), each.drainTimeoutMs);
    const leaving = fleet.apply(next.instances);
    const published = publisher.publish();
    for (const instance of leaving) {
      const timeoutMs = drainTimeouts.get(serviceKey(instance.spec())) ?? DEFAULT_DRAIN_TIMEOUT_MS;
      const drained = published.then(() => workers.drain(instance.id, timeoutMs));
      fleet.retire(instance, drained).catch((error: unknown) => reportStuck(instance.id, error));
    }
    const isSaved = isNew ? store.saveDesired({ desired, leaseExpired }) : undefined;
    await Promise.all([isSaved, Promise.race([published, sleep(PUSH_PATIENCE_MS, undefined, { ref: false })])]);
    return observe();
  }

  function reportStuck(instance: string, error: unknown): void {
    log.error({ instance, error: String(error) }, "an instance could not be ended");
  }

  function observe(): ObservedState {
    return {
      bootId,
      generation: desired.generation,
      at: new Date().toISOString(),
      leaseExpired,
      instances: fleet.list().map((instance) => {
        const observed = instance.observe();
        const usage = observed.pid === null ? null : usageOf(observed.pid);
        return {
          ...observed,
          inflight: workers.inflight(instance.id),
          memoryBytes: usage?.memoryBytes ?? null,
          cpuSeconds: usage?.cpuSeconds ?? null,
        };
      }),
      services: desired.services.map((each) => ({
        service: each.service,
        environment: each.environment,
        weight: weightInForce(each, leaseExpired),
      })),
      proxies: workers.observe(),
    };
  }

  /** One count at a time: answers that overtook each other would let the sums fall. */
  function count(): Promise<void> {
    counting ??= workers
      .counters()
      .then((answers) => {
        for (const [slot, counters] of answers) sums.update(slot, counters);
        sums.keep(desired.services, performance.now());
      })
      .finally(() => (counting = null));
    return counting;
  }

  async function counters(): Promise<Counters> {
    await count();
    return { bootId, at: new Date().toISOString(), ...sums.total(desired.services) };
  }

  async function capAllLogs(): Promise<void> {
    for (const instance of fleet.list()) {
      const droppedBytes = await capLogs(instance.spec().logDirectory, LOG_LIMIT_BYTES);
      if (droppedBytes > 0) log.warn({ instance: instance.id, droppedBytes }, "a log was cut to its size");
    }
  }

  const { processes } = store.saved;
  const strays = fleet.recover(desired.instances, processes.machineBootId === machineBootId ? processes.processes : []);
  const published = publisher.publish();
  for (const facts of strays) {
    const drained = published.then(() => workers.drain(facts.id, DEFAULT_DRAIN_TIMEOUT_MS));
    fleet.retireStray(facts, drained).catch((error: unknown) => reportStuck(facts.id, error));
  }
  if (store.saved.desired && !leaseExpired) lease.renew(desired.leaseTtlMs);
  const counter = setInterval(() => void count(), COUNT_INTERVAL_MS);
  const logCheck = setInterval(() => {
    capAllLogs().catch((error: unknown) => log.warn({ error: String(error) }, "a log could not be cut"));
  }, LOG_CHECK_INTERVAL_MS);
  const api = await serveAgentApi({
    path: join(options.runtimeDirectory, "agent.sock"),
    put,
    observe,
    counters,
    events,
    journal: store.journal,
    logDirectory: (id) => fleet.get(id)?.spec().logDirectory ?? null,
  });

  async function close(): Promise<void> {
    await api.close();
    lease.stop();
    clearInterval(counter);
    clearInterval(logCheck);
  }

  return {
    async stop() {
      await close();
      await store.saveProcesses({ machineBootId, processes: fleet.facts() });
    },
    async stopInstances() {
      await close();
      await fleet.stopAll();
      await store.saveProcesses({ machineBootId, processes: [] });
      workers.stop();
    },
    async killInstances() {
      await close();
      await fleet.killAll();
      await store.saveProcesses({ machineBootId, processes: [] });
      workers.stop();
    },
  };
}

function serviceKey({ service, environment }: { service: string; environment: string }): string {
  return JSON.stringify([environment, service]);
}

function pick(from: NodeJS.ProcessEnv, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}
