import { mkdirSync } from "node:fs";
import { BoundSocket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../system/log.ts";
import { chooseEngine } from "../haproxy/choose-engine.ts";
import { lookForHaproxy } from "../haproxy/look-for-haproxy.ts";
import { ACCEPTOR, describeChildren, DRAIN_TIMEOUT_MS } from "./describe-children.ts";
import { inheritedSocket } from "./inherited-socket.ts";
import { keepChild, type ChildStatus, type KeptChild } from "./kept-child.ts";
import { ParentError, type ParentOptions } from "./parent-options.ts";
import { serveStatus } from "./status-socket.ts";

/** Beyond its own time limits a child gets this long before it is killed. */
const MARGIN_MS = 5000;
const AGENT_STOP_TIMEOUT_MS = 120_000;
const SERVER_STOP_TIMEOUT_MS = 30_000;
const FORCED_STOP_TIMEOUT_MS = 3000;
/** HAProxy has closed its listening socket and idle connections by then; what stands behind it may end. */
const ACCEPTOR_GRACE_MS = 3000;
const END_ATTEMPTS = 3;
const BIND_ATTEMPTS = 20;
const BIND_RETRY_MS = 100;
/** 107 bytes for a socket's path, less the longest name in the directory. */
const RUNTIME_DIRECTORY_BYTES = 107 - "/proxy-99-4194304.sock.4194304".length;

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
  const engine = pickEngine(options, log);
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
  const inherited = {
    descriptors: bound.map((each) => each.descriptor),
    isSocketShared: bound.every((each) => each.isShared),
  };
  for (const spec of describeChildren(options, engine, inherited))
    children.set(spec.name, keepChild(spec, log));
  log.info(
    { ...address, engine, workers: count, tlsPort: tlsAddress?.port ?? null },
    "the data plane is bound",
  );

  const workers = () => [...children].filter(([name]) => name.startsWith("proxy-")).map(([, child]) => child);
  const acceptor = children.get(ACCEPTOR);
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
      const stopped = acceptor?.stop((each) => each.kill("SIGTERM"), drainTimeoutMs);
      if (stopped) await Promise.race([stopped, sleep(ACCEPTOR_GRACE_MS)]);
      await Promise.all(workers().map((child) => child.stop((each) => each.kill("SIGTERM"), drainTimeoutMs)));
      await stopped;
      await endInstances("stop-instances", AGENT_STOP_TIMEOUT_MS);
      await children.get("server")?.stop((each) => each.kill("SIGTERM"), SERVER_STOP_TIMEOUT_MS);
      close();
    },
    async force() {
      for (const child of [...workers(), ...listed(acceptor), ...listed(children.get("server"))])
        child.kill();
      await endInstances("kill-instances", FORCED_STOP_TIMEOUT_MS);
      close();
    },
  };
}

/** Decided once: who accepts does not change while the parent lives. */
function pickEngine({ proxy }: ParentOptions, log: Log): "node" | "haproxy" {
  const setting = proxy.engine ?? "node";
  const { engine, reason } = chooseEngine(setting, () => ({
    ...lookForHaproxy(),
    hasTls: Boolean(proxy.tls),
  }));
  if (reason === null) return engine;
  const message = `the data plane cannot run on HAProxy: ${reason}`;
  if (setting === "haproxy") throw new ParentError("CONFIG_INVALID", message, { file: "proxy.engine" });
  log.info({ reason }, "the data plane runs on Node, for HAProxy cannot be used");
  return engine;
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

function listed<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}
