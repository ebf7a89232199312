import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { KeeperOptions } from "../haproxy/keeper-options.ts";
import type { WorkerOptions } from "../proxy/worker-protocol.ts";
import type { ChildSpec } from "./kept-child.ts";
import type { ParentOptions } from "./parent-options.ts";

export const DRAIN_TIMEOUT_MS = 30_000;
/** The child that keeps HAProxy. */
export const ACCEPTOR = "haproxy";
/**
 * In MiB, for every process of the platform. Requests leave little that lives on: under load a worker then
 * needs 80 MB instead of 100 to 180, and the idle server 25 less.
 */
export const SMALL_YOUNG_GENERATION = "--max-semi-space-size=4";

interface Inherited {
  descriptors: number[];
  isSocketShared: boolean;
}

/** Keys of what is sealed are the server's business alone. */
const OF_THE_SERVER = /^MAINSTAY_SECRETS_/;

/**
 * What the parent starts: the proxy workers, HAProxy's keeper before them where it is the engine, the agent,
 * and the server.
 */
export function describeChildren(
  options: ParentOptions,
  engine: "node" | "haproxy",
  { descriptors, isSocketShared }: Inherited,
): ChildSpec[] {
  const own = { NODE_COMPILE_CACHE: join(options.dataDirectory, "cache"), ...process.env };
  const env = Object.fromEntries(Object.entries(own).filter(([name]) => !OF_THE_SERVER.test(name)));
  const count = options.proxy.workers;
  const workers = Array.from({ length: count }, (_, slot) => ({
    name: `proxy-${slot}`,
    command: (restarts: number) => [
      process.execPath,
      SMALL_YOUNG_GENERATION,
      ...entry("proxy-main", {
        ...workerOptions(options, { slot, restarts, isSocketShared }),
        ...(engine === "haproxy" ? { behind: behindPath(options, slot) } : {}),
      }),
    ],
    env,
    descriptors,
  }));
  const keeper = {
    name: ACCEPTOR,
    command: (restarts: number) => [
      process.execPath,
      SMALL_YOUNG_GENERATION,
      ...entry("haproxy-main", keeperOptions(options, { slot: count, restarts, isSocketShared })),
    ],
    env,
    descriptors,
  };
  const agent = {
    name: "agent",
    command: () => [
      process.execPath,
      SMALL_YOUNG_GENERATION,
      ...entry("agent-main", agentOptions(options, engine)),
    ],
    env,
  };
  const { server } = options;
  const servers = server
    ? [{ name: "server", command: () => server.command, env: { ...own, ...server.env } }]
    : [];
  return [...workers, ...(engine === "haproxy" ? [keeper] : []), agent, ...servers];
}

type Life = Required<Pick<WorkerOptions, "slot" | "restarts" | "isSocketShared">>;

function workerOptions({ dataDirectory, runtimeDirectory, proxy }: ParentOptions, life: Life): WorkerOptions {
  return {
    ...life,
    runtimeDirectory,
    routingFile: join(dataDirectory, "agent", "routing.json"),
    httpsFile: proxy.tls ? join(dataDirectory, "agent", "https.json") : null,
    drainTimeoutMs: proxy.drainTimeoutMs ?? DRAIN_TIMEOUT_MS,
    limits: proxy.limits,
    trustedProxies: proxy.trustedProxies,
  };
}

function keeperOptions(options: ParentOptions, life: Life): KeeperOptions {
  const { httpsFile: _, ...rest } = workerOptions(options, life);
  const { workers } = options.proxy;
  return {
    ...rest,
    threads: workers,
    nodes: Array.from({ length: workers }, (__, slot) => behindPath(options, slot)),
  };
}

/** Where a worker takes what HAProxy leaves to it. */
function behindPath({ runtimeDirectory }: ParentOptions, slot: number): string {
  return join(runtimeDirectory, `behind-${slot}`);
}

/** To the agent HAProxy's keeper is one more worker. */
function agentOptions({ dataDirectory, runtimeDirectory, proxy, agent }: ParentOptions, engine: string) {
  const workers = proxy.workers + (engine === "haproxy" ? 1 : 0);
  return { dataDirectory, runtimeDirectory, workers, ...agent };
}

/** An entry beside the parent's own: .ts in the repository, .js in the package. */
function entry(name: string, options: unknown): string[] {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const path = fileURLToPath(new URL(`../${name}.${extension}`, import.meta.url));
  return [path, JSON.stringify(options)];
}
