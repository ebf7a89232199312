import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ObservedState } from "@mainstay/api";
import type { z } from "zod";
import { createUnixClient } from "../../agent/src/system/unix-client.ts";
import type { ParentStatus } from "../../agent/src/index.ts";
import { createApiClient, type ApiClient } from "../../cli/src/api-client.ts";
import { runtimeDirectoryFor } from "../../server/src/index.ts";
import { runCommand, startCommand, type CommandResult, type RunningCommand } from "./command.ts";
import { findFreePort } from "./free-port.ts";
import { setUp } from "./set-up.ts";
import { startUp, type UpProcess } from "./up-process.ts";
import { waitUntil } from "./wait-until.ts";

const READY_DEADLINE_MS = 90_000;
const READY_LOOK_MS = 100;
/** Longer than a killed server needs to come back. */
const PATIENCE_MS = 30_000;

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

/** Starts the product with its data, its sockets and its ports to itself; resolves once it is ready. */
export async function startProduct({ env = {} }: ProductOptions = {}): Promise<Product> {
  const place = await choosePlace(env);
  const up = startUp({ directory: place.directory, env: place.settings });
  let token = "";

  async function untilReady(): Promise<void> {
    await waitUntilReady(place.url, up);
    if (token === "") token = await setUp(place);
  }

  async function stop(): Promise<void> {
    try {
      await up.stop();
    } finally {
      await rm(place.directory, { recursive: true, force: true });
    }
  }

  async function pidOf(name: string): Promise<number> {
    if (name === "parent") return up.pid();
    return waitUntil(`${name} to run`, async () => {
      const asked = ask(path.join(place.runtimeDirectory, "parent.sock"), "/v1/status");
      const status = (await asked.catch(() => null)) as ParentStatus | null;
      return status?.children.find((each) => each.name === name)?.pid;
    });
  }

  await untilReady().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    ...place,
    ...createCommands(place.directory, () => ({ MAINSTAY_URL: place.url, MAINSTAY_TOKEN: token })),
    api: () => createApiClient({ url: place.url, token, patienceMs: PATIENCE_MS }),
    observed: async () =>
      (await ask(path.join(place.runtimeDirectory, "agent.sock"), "/v1/observed")) as ObservedState,
    pidOf,
    async kill(name) {
      const pid = await pidOf(name);
      process.kill(pid, "SIGKILL");
      return pid;
    },
    untilReady,
    async upAgain() {
      await up.again();
      await untilReady();
    },
    log: up.log,
    stop,
  };
}

interface Place {
  directory: string;
  dataDirectory: string;
  runtimeDirectory: string;
  url: string;
  dataPlaneUrl: string;
  settings: Record<string, string>;
}

async function choosePlace(env: Record<string, string>): Promise<Place> {
  const directory = await mkdtemp(path.join(tmpdir(), "mainstay-e2e-"));
  // Started by root, PostgreSQL runs under another account, which must be able to enter.
  await chmod(directory, 0o755);
  const dataDirectory = path.join(directory, "data");
  const sockets = path.join(directory, "run");
  for (const each of [dataDirectory, sockets]) await mkdir(each, { mode: 0o755 });
  const serverPort = findFreePort();
  const proxyPort = Number(env["MAINSTAY_PROXY_PORT"] ?? findFreePort());
  const settings = {
    XDG_RUNTIME_DIR: sockets,
    MAINSTAY_DATA_DIRECTORY: dataDirectory,
    MAINSTAY_SERVER_PORT: String(serverPort),
    MAINSTAY_PROXY_HOST: "127.0.0.1",
    MAINSTAY_PROXY_PORT: String(proxyPort),
    MAINSTAY_LOG_FORMAT: "json",
    // Compiled once for all of them: each would take three seconds of a core to do it again.
    NODE_COMPILE_CACHE: path.join(tmpdir(), "mainstay-test-cache"),
    ...env,
  };
  return {
    directory,
    dataDirectory,
    runtimeDirectory: await runtimeDirectoryFor({
      dataDirectory,
      env: settings,
      uid: process.getuid?.() ?? 0,
    }),
    url: `http://127.0.0.1:${serverPort}`,
    dataPlaneUrl: `http://127.0.0.1:${proxyPort}`,
    settings,
  };
}

/** `mainstay` on the command line, led to a product. */
function createCommands(
  cwd: string,
  access: Product["access"],
): Pick<Product, "access" | "cli" | "cliJson" | "startCli"> {
  return {
    access,
    cli: (...args) => runCommand(args, { env: access(), cwd }),
    async cliJson(schema, ...args) {
      const result = await runCommand(["--json", ...args], { env: access(), cwd });
      if (result.stdout === "") throw new Error(`${args.join(" ")} printed nothing: ${result.stderr}`);
      return { ...result, document: schema.parse(JSON.parse(result.stdout)) };
    },
    startCli: (...args) => startCommand(args, { env: access(), cwd }),
  };
}

async function waitUntilReady(url: string, up: UpProcess): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    if (up.hasEnded()) throw new Error("mainstay up has ended");
    return (await fetch(`${url}/readyz`).catch(() => null))?.ok ?? false;
  };
  const limits = { deadlineMs: READY_DEADLINE_MS, lookMs: READY_LOOK_MS };
  await waitUntil("the product to be ready", isReady, limits).catch((error: unknown) => {
    throw new Error(`the product is not ready; its log:\n${up.log()}`, { cause: error });
  });
}

async function ask(socketPath: string, resource: string): Promise<unknown> {
  const client = createUnixClient(socketPath);
  try {
    return (await client.call("GET", resource, { timeoutMs: 1000 })).body;
  } finally {
    client.close();
  }
}
