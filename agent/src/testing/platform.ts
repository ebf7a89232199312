import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { DesiredState, InstanceSpec, ObservedInstance, ServiceRouting } from "@mainstay/api";
import { createAgentClient, type AgentClient } from "../client.ts";
import { PARENT_ENTRY } from "../index.ts";
import type { ParentOptions } from "../parent/parent-options.ts";
import type { ParentStatus } from "../parent/start-parent.ts";
import { createUnixClient } from "../system/unix-client.ts";
import { waitFor } from "./wait-for.ts";
import { TEST_LIMITS, type TestEngine } from "./worker.ts";

const SAMPLE_APP = `${process.execPath} ${fileURLToPath(new URL("./sample-app.ts", import.meta.url))}`;

export interface Platform {
  directory: string;
  url: string;
  port: number;
  parent: ChildProcess;
  client: AgentClient;
  status(): Promise<ParentStatus>;
  /** The process of a child by its name; waits until it runs. */
  pidOf(name: string): Promise<number>;
  /** Sends a desired state with the next generation. */
  put(content: Partial<DesiredState>): Promise<void>;
  instance(id: string): Promise<ObservedInstance | undefined>;
  waitForState(id: string, state: ObservedInstance["state"]): Promise<ObservedInstance>;
  log(): string;
  /** Starts another parent on the same directories. */
  again(): Promise<void>;
  stop(): Promise<number | null>;
}

/** A parent with its workers and agent as real processes in a directory of their own. */
export async function startPlatform({
  workers = 1,
  server = null as ParentOptions["server"],
  tls = null as { host: string; port: number } | null,
  agent = {},
  engine = undefined as TestEngine | undefined,
} = {}): Promise<Platform> {
  const directory = mkdtempSync(join(tmpdir(), "mainstay-"));
  const runtimeDirectory = join(directory, "run");
  const logFile = join(directory, "log");
  const optionsFor = (port: number): ParentOptions => ({
    dataDirectory: join(directory, "data"),
    runtimeDirectory,
    server,
    agent,
    proxy: {
      ...{ host: "127.0.0.1", port, workers, limits: TEST_LIMITS, trustedProxies: [] },
      ...(tls ? { tls } : {}),
      ...(engine ? { engine } : {}),
    },
  });
  const client = createAgentClient({ socketPath: join(runtimeDirectory, "agent.sock") });
  const status = createUnixClient(join(runtimeDirectory, "parent.sock"));
  let parent = launchParent(optionsFor(0), logFile);
  let generation = 0;

  const readLog = () => readFileSync(logFile, "utf8");
  await waitFor("the agent to answer", () => client.observed().catch(() => null));
  const listening = Number(/"port":(\d+)/.exec(readLog())?.[1]);
  await waitForWorkers();

  async function readStatus(): Promise<ParentStatus> {
    return (await status.call("GET", "/v1/status")).body as ParentStatus;
  }

  async function waitForWorkers(): Promise<void> {
    await waitFor("the workers to answer", async () => {
      const { proxies } = await client.observed();
      return proxies.every((each) => each.pid !== null);
    });
  }

  const platform: Platform = {
    directory,
    url: `http://127.0.0.1:${listening}`,
    port: listening,
    get parent() {
      return parent;
    },
    client,
    status: readStatus,
    pidOf: (name) =>
      waitFor(
        `${name} to run`,
        async () => (await readStatus()).children.find((each) => each.name === name)?.pid ?? null,
      ),
    async put(content) {
      generation += 1;
      await client.putDesired({ generation, leaseTtlMs: 60_000, instances: [], services: [], ...content });
    },
    instance: async (id) => (await client.observed()).instances.find((each) => each.id === id),
    waitForState: (id, state) =>
      waitFor(`${id} to be ${state}`, async () => {
        const instance = await platform.instance(id).catch(() => undefined);
        return instance?.state === state ? instance : null;
      }),
    log: readLog,
    async again() {
      parent = launchParent(optionsFor(listening), logFile);
      await waitFor("the agent to answer", () => client.observed().catch(() => null));
      await waitForWorkers();
    },
    async stop() {
      if (parent.exitCode === null && parent.signalCode === null) {
        const exit = once(parent, "exit");
        parent.kill("SIGTERM");
        await exit;
      }
      client.close();
      status.close();
      rmSync(directory, { recursive: true, force: true });
      return parent.exitCode;
    },
  };
  return platform;
}

/** Starts a parent as a process; its output goes to a file. */
export function launchParent(options: ParentOptions, logFile: string): ChildProcess {
  const log = openSync(logFile, "a");
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "mainstay-test-cache") };
  return spawn(process.execPath, [PARENT_ENTRY, JSON.stringify(options)], {
    stdio: ["ignore", log, log],
    env,
  });
}

/** An instance of the sample application. */
export function sampleInstance(
  platform: Platform,
  id: string,
  changes: Partial<InstanceSpec> = {},
): InstanceSpec {
  return {
    id,
    service: "shop",
    environment: "production",
    process: "web",
    release: "rel_1",
    directory: platform.directory,
    command: SAMPLE_APP,
    env: {},
    port: "auto",
    health: { path: "/healthz", intervalMs: 100, timeoutMs: 2000 },
    stopTimeoutMs: 5000,
    logDirectory: join(platform.directory, "logs", id),
    ...changes,
  };
}

/** Routing of the sample service: everything to the stable arm, unless told otherwise. */
export function sampleRouting(changes: Partial<ServiceRouting> = {}): ServiceRouting {
  return {
    service: "shop",
    environment: "production",
    routes: [{ host: null, path: "/" }],
    change: null,
    assignmentHeader: null,
    weight: 0,
    proven: 0,
    stable: { release: "rel_1", instances: ["a"] },
    candidate: null,
    requestTimeoutMs: 10_000,
    drainTimeoutMs: 10_000,
    connections: { balance: "round-robin", weights: [], drainTimeoutMs: 10_000, holdTimeoutMs: 0 },
    maintenance: null,
    ...changes,
  };
}
