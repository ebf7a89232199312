import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { BoundSocket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ObservedState } from "@mainstay/api";
import type { z } from "zod";
import { createUnixClient } from "../../agent/src/system/unix-client.ts";
import type { ParentStatus } from "../../agent/src/index.ts";
import { createApiClient, type ApiClient } from "../../cli/src/api-client.ts";
import { runtimeDirectoryFor } from "../../server/src/index.ts";
import { LAUNCHER, runCommand, startCommand, type CommandResult, type RunningCommand } from "./command.ts";
import { findProcessesOf } from "./process-search.ts";
import { waitUntil } from "./wait-until.ts";

const READY_DEADLINE_MS = 90_000;
const STOP_DEADLINE_MS = 60_000;
/** Neither given to instances nor to outgoing connections: free now means free after a restart, too. */
const PORTS = { first: 12_000, count: 7_000, attempts: 50 };

export interface ProductOptions {
  /** MAINSTAY_* variables beyond those that place it. */
  env?: Record<string, string>;
}

/** The whole product as a user starts it, on a directory of its own. */
export interface Product {
  /** Everything of it lies below: data, sockets, log, and what a test puts there. */
  directory: string;
  dataDirectory: string;
  runtimeDirectory: string;
  url: string;
  dataPlaneUrl: string;
  /** The variables that lead a command here. */
  access(): { MAINSTAY_URL: string; MAINSTAY_TOKEN: string };
  /** The variables `mainstay up` was started with. */
  settings: Record<string, string>;
  api(): ApiClient;
  /** Runs `mainstay <args>` against it. */
  cli(...args: string[]): Promise<CommandResult>;
  /** `mainstay --json <args>`, with its document; throws when that is missing or has another form. */
  cliJson<Schema extends z.ZodType>(
    schema: Schema,
    ...args: string[]
  ): Promise<CommandResult & { document: z.output<Schema> }>;
  /** As `cli`, without waiting for the end. */
  startCli(...args: string[]): RunningCommand;
  /** What the agent sees, asked without the server. */
  observed(): Promise<ObservedState>;
  /** The process id of the parent, or of one of its children: "server", "agent", "proxy-0". */
  pidOf(name: string): Promise<number>;
  /** `kill -9` of one of them; answers its pid. */
  kill(name: string): Promise<number>;
  untilReady(): Promise<void>;
  /** `mainstay up` once more, after its process was killed. */
  upAgain(): Promise<void>;
  log(): string;
  /** Stops it in order, and throws when anything of it still runs. */
  stop(): Promise<void>;
}

export async function startProduct({ env = {} }: ProductOptions = {}): Promise<Product> {
  const directory = await makeDirectory();
  const [serverPort, proxyPort] = [findFreePort(), findFreePort()];
  const dataDirectory = path.join(directory, "data");
  const settings = {
    XDG_RUNTIME_DIR: path.join(directory, "run"),
    MAINSTAY_DATA_DIRECTORY: dataDirectory,
    MAINSTAY_SERVER_PORT: String(serverPort),
    MAINSTAY_PROXY_HOST: "127.0.0.1",
    MAINSTAY_PROXY_PORT: String(proxyPort),
    MAINSTAY_LOG_FORMAT: "json",
    ...env,
  };
  const uid = process.getuid?.() ?? 0;
  mkdirSync(dataDirectory);
  const runtimeDirectory = await runtimeDirectoryFor({ dataDirectory, env: settings, uid });
  const url = `http://127.0.0.1:${serverPort}`;
  const logFile = path.join(directory, "mainstay.log");
  const log = () => readFileSync(logFile, "utf8");
  let up = spawnUp();
  let token = "";

  function spawnUp(): ChildProcess {
    const descriptor = openSync(logFile, "a");
    const { PATH = "", HOME = "/" } = process.env;
    const child = spawn(process.execPath, [LAUNCHER, "up"], {
      cwd: directory,
      env: { PATH, HOME, ...settings },
      stdio: ["ignore", descriptor, descriptor],
      detached: true,
    });
    closeSync(descriptor);
    hireUndertaker(child);
    return child;
  }

  async function untilReady(): Promise<void> {
    await waitUntil(
      `the product to be ready; its log:\n${log()}`,
      async () => {
        if (hasEnded(up))
          throw new Error(`mainstay up ended with ${up.exitCode ?? up.signalCode}:\n${log()}`);
        return (await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false;
      },
      { deadlineMs: READY_DEADLINE_MS, lookMs: 100 },
    );
    token = (await readFile(path.join(dataDirectory, "keys", "admin.key"), "utf8")).trim();
  }

  async function pidOf(name: string): Promise<number> {
    if (name === "parent") return up.pid ?? 0;
    return waitUntil(`${name} to run`, async () => {
      const asked = ask(path.join(runtimeDirectory, "parent.sock"), "/v1/status");
      const status = (await asked.catch(() => null)) as ParentStatus | null;
      return status?.children.find((each) => each.name === name)?.pid;
    });
  }

  async function stop(): Promise<void> {
    if (!hasEnded(up)) up.kill("SIGTERM");
    const hasStopped = await waitUntil("mainstay up to end", () => hasEnded(up), {
      deadlineMs: STOP_DEADLINE_MS,
    }).catch(() => false);
    const left = findProcessesOf(directory);
    for (const { pid } of left) process.kill(pid, "SIGKILL");
    const words = log();
    await rm(directory, { recursive: true, force: true });
    if (!hasStopped) throw new Error(`mainstay up did not stop within ${STOP_DEADLINE_MS} ms:\n${words}`);
    if (left.length > 0) throw new Error(`left running: ${JSON.stringify(left, null, 2)}\n${words}`);
  }

  const access = () => ({ MAINSTAY_URL: url, MAINSTAY_TOKEN: token });
  const product: Product = {
    directory,
    dataDirectory,
    runtimeDirectory,
    url,
    dataPlaneUrl: `http://127.0.0.1:${proxyPort}`,
    settings,
    access,
    api: () => createApiClient({ url, token, patienceMs: 30_000 }),
    cli: (...args) => runCommand(args, { env: access(), cwd: directory }),
    async cliJson(schema, ...args) {
      const result = await runCommand(["--json", ...args], { env: access(), cwd: directory });
      if (result.stdout === "")
        throw new Error(`mainstay ${args.join(" ")} printed nothing: ${result.stderr}`);
      return { ...result, document: schema.parse(JSON.parse(result.stdout)) };
    },
    startCli: (...args) => startCommand(args, { env: access(), cwd: directory }),
    observed: async () =>
      (await ask(path.join(runtimeDirectory, "agent.sock"), "/v1/observed")) as ObservedState,
    pidOf,
    async kill(name) {
      const pid = await pidOf(name);
      process.kill(pid, "SIGKILL");
      return pid;
    },
    untilReady,
    async upAgain() {
      await waitUntil("the killed parent to be gone", () => hasEnded(up));
      up = spawnUp();
      await untilReady();
    },
    log,
    stop,
  };
  await untilReady().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return product;
}

/** Started by root, PostgreSQL runs under another account, which must be able to enter. */
async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), "mainstay-e2e-"));
  await chmod(directory, 0o755);
  await mkdir(path.join(directory, "run"), { mode: 0o755 });
  return directory;
}

/** A port that nothing listens on, drawn by chance so that two callers hardly ever get the same one. */
export function findFreePort(): number {
  for (let attempt = 0; attempt < PORTS.attempts; attempt += 1) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (isFree(port)) return port;
  }
  throw new Error(`found no free port from ${PORTS.first} on`);
}

function isFree(port: number): boolean {
  try {
    new BoundSocket({ host: "127.0.0.1", port }).close();
    return true;
  } catch (error) {
    const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    if (!isTaken) throw error;
    return false;
  }
}

async function ask(socketPath: string, resource: string): Promise<unknown> {
  const client = createUnixClient(socketPath);
  try {
    return (await client.call("GET", resource, { timeoutMs: 1000 })).body;
  } finally {
    client.close();
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A process that waits for the end of this one, however it comes, and then stops what it left running. */
function hireUndertaker(up: ChildProcess): void {
  const undertaker = spawn("sh", ["-c", 'read -r _ || kill -TERM "$1"', "undertaker", String(up.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  undertaker.unref();
  up.once("exit", () => undertaker.stdin.end("dismissed\n"));
}
