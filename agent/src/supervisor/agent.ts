import type { Counters, DesiredState } from "@mainstay/api";
import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { createAgentMetrics } from "../metrics/agent-metrics.ts";
import { MACHINE_FILES } from "../metrics/machine-files.ts";
import type { Log } from "../system/log.ts";
import { listProcesses, readMachineBootId } from "../system/process-table.ts";
import { createSelfSigned } from "../system/self-signed.ts";
import { serveAgentApi } from "./agent-api.ts";
import type { AgentOptions } from "./agent-options.ts";
import { createCallGuard, trustedKeysFile } from "./call-guard.ts";
import { openAgentStore, type AgentStore } from "./agent-store.ts";
import { startCounting } from "./counting.ts";
import { createEvents, type Events } from "./events.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { createHttps } from "./https.ts";
import { keepLogsSmall } from "./log-keeper.ts";
import { openMachine } from "./machine.ts";
import { createPorts, isPortFree, readEphemeralRange } from "./ports.ts";
import { createObserver } from "./observer.ts";
import { createPublisher } from "./publisher.ts";
import { computeRouting } from "./routing.ts";
import { createServing, type Held } from "./serving.ts";
import { createWorkers, type Workers } from "./workers.ts";

const DEFAULT_PORTS = { first: 20_000, last: 29_999 };
/** RFC 6761, section 6.4: a name that can be nobody's. */
const FALLBACK = { hosts: ["mainstay.invalid"], days: 3650 };
const EMPTY: DesiredState = { generation: 0, leaseTtlMs: 10_000, instances: [], services: [] };

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
  const { saved } = store;
  const held: Held = { desired: saved.desired ?? EMPTY, leaseExpired: saved.leaseExpired };
  const events = createEvents(() => new Date());
  const workers = startWorkers(options, events, log);

  const saveProcesses = () => store.saveProcesses({ machineBootId, processes: fleet.facts() });
  const { groups, images, ways, sweepContainers } = openMachine(store.agentId, options, log);
  const fleet: Fleet = startFleet(options, store, {
    log,
    ways,
    onEvent: events.emit,
    onChange() {
      void publisher.publish();
      void saveProcesses();
    },
  });

  const publisher = createPublisher({
    content: () => computeRouting({ ...held, instances: fleet.routable(), draining: fleet.draining() }),
    cookieKey: store.cookieKey,
    firstRevision: Math.max(saved.revision + 1, Date.now()),
    push: workers.push,
    save: store.saveRouting,
  });

  const https = createHttps({
    saved: saved.https,
    push: workers.pushHttps,
    save: store.saveHttps,
    randomBytes,
    makeFallback: () => createSelfSigned({ ...FALLBACK, from: new Date() }),
    nowMs: Date.now,
    every,
  });
  const serving = createServing({ held, store, fleet, publisher, workers, events, log });
  const counting = startCounting(workers, () => held.desired.services);
  const stopLogKeeper = keepLogsSmall(fleet.list, log);

  const isSameBoot = saved.processes.machineBootId === machineBootId;
  serving.begin(isSameBoot ? saved.processes.processes : [], saved.desired !== null);
  sweepContainers(fleet.knows);
  const observe = createObserver({ bootId, held, fleet, workers, images, limits: groups.limits });
  const api = await serveAgentApi({
    path: join(options.runtimeDirectory, "agent.sock"),
    guard: createCallGuard({ file: trustedKeysFile(options.dataDirectory), nowMs: Date.now }),
    put: async (next) => ((await serving.put(next)) ? observe() : null),
    async observe() {
      await counting.refresh();
      return observe();
    },
    counters: async (): Promise<Counters> => {
      const sums = await counting.read();
      return { bootId, at: new Date().toISOString(), ...sums };
    },
    metrics: createAgentMetrics({
      files: MACHINE_FILES,
      look: () => ({
        // What has ended is still known, but uses nothing any more.
        instances: fleet
          .list()
          .map((each) => each.observe())
          .filter(({ state }) => state !== "exited"),
        services: held.desired.services,
        processes: listProcesses(),
      }),
    }),
    https,
    images,
    events,
    journal: store.journal,
    logOf(id) {
      const instance = fleet.get(id);
      return instance ? { directory: instance.spec().logDirectory, over: instance.over } : null;
    },
  });

  async function close(): Promise<void> {
    await api.close();
    serving.stop();
    https.stop();
    counting.stop();
    stopLogKeeper();
  }

  async function closeAfter(end: () => Promise<void>): Promise<void> {
    await close();
    await end();
    groups.remove();
    await saveProcesses();
    workers.stop();
  }

  return {
    stop: () => closeAfter(async () => {}),
    stopInstances: () => closeAfter(fleet.stopAll),
    killInstances: () => closeAfter(fleet.killAll),
  };
}

function startWorkers(options: AgentOptions, events: Events, log: Log): Workers {
  return createWorkers({
    runtimeDirectory: options.runtimeDirectory,
    count: options.workers,
    onRestart(slot, { pid, restarts }) {
      log.warn({ worker: slot, pid, restarts }, "a proxy worker was restarted");
      events.emit("proxy.restarted", String(slot), { pid, restarts });
    },
  });
}

type FleetListeners = Pick<Parameters<typeof createFleet>[0], "onChange" | "onEvent" | "log" | "ways">;

function startFleet(options: AgentOptions, store: AgentStore, listeners: FleetListeners): Fleet {
  const ports = createPorts({
    range: options.ports ?? DEFAULT_PORTS,
    ephemeral: readEphemeralRange(),
    isFree: isPortFree,
    start: Math.random(),
  });
  const baseEnvironment = pick(process.env, ["PATH", "HOME"]);
  return createFleet({ agentId: store.agentId, ports, baseEnvironment, ...listeners });
}

function every(ms: number, act: () => void): () => void {
  const timer = setInterval(act, ms);
  return () => clearInterval(timer);
}

function pick(from: NodeJS.ProcessEnv, names: string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}
