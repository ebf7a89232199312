import { mkdirSync } from "node:fs";
import { BoundSocket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Log } from "../system/log.ts";
import { inheritedSocket } from "./inherited-socket.ts";
import { keepChild, type ChildStatus, type KeptChild } from "./kept-child.ts";
import { ParentError, type ParentOptions } from "./parent-options.ts";
import { serveStatus } from "./status-socket.ts";

const DRAIN_TIMEOUT_MS = 30_000;
/** Beyond its own time limits a child gets this long before it is killed. */
const MARGIN_MS = 5000;
const AGENT_STOP_TIMEOUT_MS = 120_000;
const SERVER_STOP_TIMEOUT_MS = 30_000;
const FORCED_STOP_TIMEOUT_MS = 3000;
/**
 * In MiB. Requests leave little that lives on: under load a worker then needs 80 MB instead of 100 to 180.
 */
const SMALL_YOUNG_GENERATION = "--max-semi-space-size=4";
const END_ATTEMPTS = 3;
const BIND_ATTEMPTS = 20;
const BIND_RETRY_MS = 100;
/** 107 bytes for a socket's path, less the longest name in the directory. */
const RUNTIME_DIRECTORY_BYTES = 107 - "/proxy-99.sock.4194304".length;

interface Address {
  host: string;
  port: number;
}

export interface ParentStatus {
  pid: number;
  children: ChildStatus[];
}

export interface Parent {
  /** Where the data plane listens; the port is the real one when 0 was asked for. */
  address: Address;
  /** Likewise for TLS; null without it. */
  tlsAddress: Address | null;
  status(): ParentStatus;
  /** In order: the workers drain, the agent stops the instances, the server ends. */
  stop(): Promise<void>;
  /** Kills everything, instances too, without waiting for requests. */
  force(): Promise<void>;
}

/**
 * Binds the data plane's socket, hands it to the proxy workers, and keeps workers, agent and server running.
 */
export async function startParent(options: ParentOptions, log: Log): Promise<Parent> {
  makeDirectories(options);
  const children = new Map<string, KeptChild>();
  const status = (): ParentStatus => ({
    pid: process.pid,
    children: [...children.values()].map((child) => child.status()),
  });
  const control = await serveStatus(join(options.runtimeDirectory, "parent.sock"), status);
  const { tls, workers: count } = options.proxy;
  const bound = await takeOrBindAll(options.proxy).catch((error: unknown) => {
    control.close();
    throw error;
  });
  const [plain, encrypted] = bound;
  const address = { host: options.proxy.host, port: plain?.port ?? options.proxy.port };
  const tlsAddress = tls && encrypted ? { host: tls.host, port: encrypted.port } : null;
  for (const spec of describeChildren(options, bound)) children.set(spec.name, keepChild(spec, log));
  log.info({ ...address, workers: count, tlsPort: tlsAddress?.port ?? null }, "the data plane is bound");

  const workers = () => [...children].filter(([name]) => name.startsWith("proxy-")).map(([, child]) => child);
  const drainTimeoutMs = (options.proxy.drainTimeoutMs ?? DRAIN_TIMEOUT_MS) + MARGIN_MS;

  /**
   * Only the agent knows the instances: if it is down just now, or fails, it is started once more for this.
   */
  async function endInstances(command: string, timeoutMs: number): Promise<void> {
    const agent = children.get("agent");
    for (let attempt = 0; agent && attempt < END_ATTEMPTS; attempt += 1) {
      agent.revive();
      if (await agent.stop((each) => each.connected && each.send(command), timeoutMs)) return;
    }
    log.error({ command }, "the agent could not end its instances");
  }

  const close = () => {
    for (const each of bound) each.close();
    control.close();
  };

  return {
    address,
    tlsAddress,
    status,
    async stop() {
      await Promise.all(workers().map((child) => child.stop((each) => each.kill("SIGTERM"), drainTimeoutMs)));
      await endInstances("stop-instances", AGENT_STOP_TIMEOUT_MS);
      await children.get("server")?.stop((each) => each.kill("SIGTERM"), SERVER_STOP_TIMEOUT_MS);
      close();
    },
    async force() {
      for (const child of [...workers(), ...listed(children.get("server"))]) child.kill();
      await endInstances("kill-instances", FORCED_STOP_TIMEOUT_MS);
      close();
    },
  };
}

function makeDirectories({ dataDirectory, runtimeDirectory }: ParentOptions): void {
  if (Buffer.byteLength(runtimeDirectory) > RUNTIME_DIRECTORY_BYTES) {
    const message = `the runtime directory ${runtimeDirectory} is longer than ${RUNTIME_DIRECTORY_BYTES} bytes`;
    throw new ParentError("CONFIG_INVALID", message, { file: "runtimeDirectory" });
  }
  mkdirSync(dataDirectory, { recursive: true });
  mkdirSync(runtimeDirectory, { recursive: true, mode: 0o700 });
}

interface Listening {
  descriptor: number;
  port: number;
  /** Somebody else holds it too, and hands it to the next parent. */
  isShared: boolean;
  close(): void;
}

/**
 * The socket of plain connections, then the one of TLS. All of them, or none: what was bound is given back.
 */
async function takeOrBindAll({ host, port, tls }: ParentOptions["proxy"]): Promise<Listening[]> {
  const handed = { env: { ...process.env }, pid: process.pid };
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete process.env[name];
  const bound: Listening[] = [];
  try {
    bound.push(await takeOrBind({ host, port }, inheritedSocket("http", handed)));
    if (tls) bound.push(await takeOrBind(tls, inheritedSocket("https", handed)));
    return bound;
  } catch (error) {
    for (const each of bound) each.close();
    throw error;
  }
}

/** A service manager's socket outlives this process too: its queue waits for the next parent. */
async function takeOrBind(wanted: Address, descriptor: number | null): Promise<Listening> {
  if (descriptor !== null) return { descriptor, port: wanted.port, isShared: true, close: () => {} };
  const bound = await bind(wanted);
  const { port } = bound.address();
  return { descriptor: bound.fd(), port, isShared: false, close: () => bound.close() };
}

/**
 * A predecessor that was just killed leaves the address
 * taken until its workers have noticed: worth a short wait.
 */
async function bind({ host, port }: Address): Promise<BoundSocket> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return new BoundSocket({ host, port });
    } catch (error) {
      const address = `${host}:${port}`;
      const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!isTaken)
        throw new ParentError("CONFIG_INVALID", `cannot listen on ${address}: ${String(error)}`, { address });
      if (attempt === BIND_ATTEMPTS) {
        throw new ParentError("ADDRESS_IN_USE", `${address} is already in use`, { address });
      }
      await sleep(BIND_RETRY_MS);
    }
  }
}

function describeChildren(options: ParentOptions, bound: Listening[]) {
  const descriptors = bound.map((each) => each.descriptor);
  const isShared = bound.every((each) => each.isShared);
  const env = { NODE_COMPILE_CACHE: join(options.dataDirectory, "cache"), ...process.env };
  const workers = Array.from({ length: options.proxy.workers }, (_, slot) => ({
    name: `proxy-${slot}`,
    command: (restarts: number) => [
      process.execPath,
      SMALL_YOUNG_GENERATION,
      ...entry("proxy-main", workerOptions(options, { slot, restarts, isSocketShared: isShared })),
    ],
    env,
    descriptors,
  }));
  const agent = {
    name: "agent",
    command: () => [process.execPath, ...entry("agent-main", agentOptions(options))],
    env,
  };
  const { server } = options;
  const servers = server
    ? [{ name: "server", command: () => server.command, env: { ...env, ...server.env } }]
    : [];
  return [...workers, agent, ...servers];
}

function workerOptions(
  options: ParentOptions,
  life: { slot: number; restarts: number; isSocketShared: boolean },
) {
  return {
    ...life,
    runtimeDirectory: options.runtimeDirectory,
    routingFile: join(options.dataDirectory, "agent", "routing.json"),
    httpsFile: options.proxy.tls ? join(options.dataDirectory, "agent", "https.json") : null,
    drainTimeoutMs: options.proxy.drainTimeoutMs ?? DRAIN_TIMEOUT_MS,
    limits: options.proxy.limits,
    trustedProxies: options.proxy.trustedProxies,
  };
}

function agentOptions({ dataDirectory, runtimeDirectory, proxy, agent }: ParentOptions) {
  return { dataDirectory, runtimeDirectory, workers: proxy.workers, ...agent };
}

/** An entry beside the parent's own: .ts in the repository, .js in the package. */
function entry(name: string, options: unknown): string[] {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const path = fileURLToPath(new URL(`../${name}.${extension}`, import.meta.url));
  return [path, JSON.stringify(options)];
}

function listed<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
