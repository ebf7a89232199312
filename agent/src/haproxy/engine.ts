import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerRouting } from "../proxy/worker-protocol.ts";
import { backOffMs } from "../system/back-off.ts";
import type { Log } from "../system/log.ts";
import type { EngineCounts } from "./engine-counts.ts";
import { createEngineFiles } from "./engine-files.ts";
import { startEngineProcess, type EngineProcess } from "./engine-process.ts";
import { engineTableOf, NODE, structureOf, type EngineTable } from "./engine-table.ts";
import type { KeeperOptions } from "./keeper-options.ts";
import { planCommands, type MapFiles } from "./plan-commands.ts";
import { createRuntimeSocket } from "./runtime-socket.ts";

const BACK_OFF = { firstMs: 250, limitMs: 5000 };
const LISTENING_SOCKET = 3;

export interface Engine {
  /** Resolves when the table is in force. */
  apply(routing: WorkerRouting): Promise<void>;
  /** Requests in flight by instance, of all processes; learnt anew at each call. */
  inflight(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

interface Running {
  process: EngineProcess;
  table: EngineTable;
  maps: MapFiles;
  leaving: Set<string>;
}

/**
 * HAProxy, as the routing tables want it. What its runtime socket can change is changed there; for the rest,
 * and when the socket refuses something, another process takes over and the one before ends its requests.
 */
export function createEngine(options: KeeperOptions, counts: EngineCounts, log: Log): Engine {
  const files = createEngineFiles(options);
  const retiring = new Set<EngineProcess>();
  let running: Running | null = null;
  let newest: WorkerRouting | null = null;
  let lastInflight = 0;
  let number = 0;
  let isStopping = false;
  let queue: Promise<void> = Promise.resolve();

  /** One after the other, in the order they came. */
  function inTurn(act: () => Promise<void>): Promise<void> {
    const done = queue.then(act);
    queue = done.catch(() => {});
    return done;
  }

  async function start(routing: WorkerRouting, table: EngineTable): Promise<Running> {
    number += 1;
    const { configFile, admin, maps, remove } = files.write(number, routing.cookieKey, table);
    const socket = createRuntimeSocket(admin);
    const descriptors = [LISTENING_SOCKET];
    const process = await startEngineProcess({ configFile, socket, maps, descriptors });
    const started = { process, table, maps, leaving: new Set<string>() };
    void process.exited.then(remove);
    void process.exited.then((reason) => onExit(started, reason));
    return started;
  }

  function onExit(ended: Running, reason: string): void {
    if (running !== ended || isStopping) return;
    running = null;
    counts.lost("worker_killed", lastInflight);
    log.error({ reason, inflight: lastInflight }, "HAProxy ended and is started again");
    void inTurn(revive);
  }

  async function revive(): Promise<void> {
    for (let failures = 0; newest && !running && !isStopping; failures += 1) {
      await sleep(backOffMs(failures, BACK_OFF));
      await replace(newest, engineTableOf(newest)).catch((error: unknown) =>
        log.error({ error: String(error) }, "HAProxy could not be started"),
      );
    }
  }

  async function replace(routing: WorkerRouting, table: EngineTable): Promise<void> {
    const before = running;
    running = await start(routing, table);
    log.info({ number, services: table.backends.length / 2 }, "HAProxy serves with a new configuration");
    if (!before) return;
    // Both accept for a moment, so the table is not in force before the old one is not.
    await before.process.yieldRoutes();
    retire(before.process);
  }

  function retire(process: EngineProcess): void {
    retiring.add(process);
    void process.retire().then(() => retiring.delete(process));
  }

  async function change(current: Running, next: EngineTable): Promise<void> {
    const { process, table: before, maps, leaving } = current;
    const plan = planCommands({ before, next, leaving, maps });
    await process.socket.run(plan.commands);
    for (const each of next.backends)
      for (const { name } of each.servers) leaving.delete(`${each.name}/${name}`);
    for (const name of plan.leaving) leaving.add(name);
    current.table = next;
  }

  async function applyNow(routing: WorkerRouting): Promise<void> {
    const table = engineTableOf(routing);
    const isSameKey = newest?.cookieKey === routing.cookieKey;
    newest = routing;
    counts.route(routing);
    if (!running || !isSameKey || structureOf(table) !== structureOf(running.table))
      return replace(routing, table);
    await change(running, table).catch((error: unknown) => {
      log.warn({ error: String(error) }, "HAProxy refused a change and is replaced");
      return replace(routing, table);
    });
  }

  async function deleteIdle({ process, leaving }: Running, busy: ReadonlySet<string>): Promise<void> {
    for (const name of leaving) {
      if (busy.has(name)) continue;
      // Refused as long as a connection is open; asked again the next time.
      const answer = await process.socket.ask(`del server ${name}`).catch(() => "");
      if (answer.includes("deleted")) leaving.delete(name);
    }
  }

  return {
    apply: (routing) => inTurn(() => applyNow(routing)),
    async inflight() {
      const processes = [...retiring, ...(running ? [running.process] : [])];
      const all = (await Promise.all(processes.map((each) => each.servers()))).flat();
      const real = all.filter((each) => each.sessions > 0 && !each.server.startsWith(`${NODE}-`));
      const sums: Record<string, number> = {};
      for (const { server, sessions } of real) {
        const instance = server.slice(0, server.lastIndexOf("-"));
        sums[instance] = (sums[instance] ?? 0) + sessions;
      }
      lastInflight = real.reduce((sum, each) => sum + each.sessions, 0);
      const busy = new Set(real.map((each) => `${each.backend}/${each.server}`));
      if (running && running.leaving.size > 0) await deleteIdle(running, busy);
      return sums;
    },
    async stop() {
      isStopping = true;
      await queue;
      if (running) retire(running.process);
      await Promise.all([...retiring].map((each) => each.exited));
    },
  };
}
