import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { PlatformResource } from "@mainstay/api";
import { createApiClient, type ApiClient } from "../api-client.ts";
import { engage, type People } from "./people.ts";
import { CliError, EXIT } from "../cli-error.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/mainstay.js", import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 45_000;
const LOOK_MS = 100;
const PREFERRED = { server: 7700, proxy: 8080 };

/** A platform of the demo's own, on a directory of its own. */
export interface DemoPlatform {
  /** As its administrator. */
  api: ApiClient;
  /** As somebody who may ship, and nothing beyond that. */
  deployer: ApiClient;
  tokens: People;
  url: string;
  dataPlaneUrl: string;
  dataDirectory: string;
  readyAfterMs: number;
  /** kill -9 of the server process; answers its pid. */
  killServer(): Promise<number>;
  stop(): Promise<void>;
  removeData(): Promise<void>;
}

export async function startPlatform(): Promise<DemoPlatform> {
  const startedAtMs = performance.now();
  const dataDirectory = await mkdtemp(path.join(tmpdir(), "mainstay-demo-"));
  // Started by root, PostgreSQL runs under another account, which must be able to enter.
  await chmod(dataDirectory, 0o755);
  const [serverPort, proxyPort] = [await freePort(PREFERRED.server), await freePort(PREFERRED.proxy)];
  const url = `http://127.0.0.1:${serverPort}`;
  const up = await spawnUp({ dataDirectory, serverPort, proxyPort });
  await ready(url, up, dataDirectory);
  const people = await engage({ url, dataDirectory });
  const api = createApiClient({ url, token: people.admin });
  return {
    api,
    deployer: createApiClient({ url, token: people.deployer }),
    tokens: people,
    url,
    dataPlaneUrl: `http://127.0.0.1:${proxyPort}`,
    dataDirectory,
    readyAfterMs: performance.now() - startedAtMs,
    killServer: () => killServer(api),
    stop: () => stop(up),
    removeData: () => rm(dataDirectory, { recursive: true, force: true }),
  };
}

async function spawnUp(where: {
  dataDirectory: string;
  serverPort: number;
  proxyPort: number;
}): Promise<ChildProcess> {
  const log = await open(path.join(where.dataDirectory, "mainstay.log"), "a");
  const env = {
    ...process.env,
    MAINSTAY_DATA_DIRECTORY: where.dataDirectory,
    MAINSTAY_SERVER_PORT: String(where.serverPort),
    MAINSTAY_PROXY_HOST: "127.0.0.1",
    MAINSTAY_PROXY_PORT: String(where.proxyPort),
    MAINSTAY_LOG_FORMAT: "json",
    // Every second, for a gate of the demo asks for what is measured, and bakes are short.
    MAINSTAY_METRICS_SCRAPE_INTERVAL: "1s",
  };
  // Detached: Ctrl-C in the terminal reaches the demo alone, which then stops the platform in order.
  const up = spawn(process.execPath, [LAUNCHER, "up"], {
    env,
    cwd: where.dataDirectory,
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  up.once("spawn", () => void log.close());
  return up;
}

async function ready(url: string, up: ChildProcess, dataDirectory: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += LOOK_MS) {
    const isReady = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    if (up.exitCode !== null) break;
    await delay(LOOK_MS);
  }
  const log = await readFile(path.join(dataDirectory, "mainstay.log"), "utf8").catch(() => "");
  await stop(up);
  throw new CliError(
    `the platform did not start; its log ends with:\n${log.split("\n").slice(-15).join("\n")}`,
    EXIT.failed,
  );
}

/** The server says which process it is, so that nobody has to guess. */
async function killServer(api: ApiClient): Promise<number> {
  const { pid } = await api.get<PlatformResource>("/platform");
  process.kill(pid, "SIGKILL");
  return pid;
}

async function stop(up: ChildProcess): Promise<void> {
  if (up.exitCode !== null || up.signalCode !== null) return;
  const exited = new Promise((resolve) => up.once("exit", resolve));
  up.kill("SIGTERM");
  await Promise.race([exited, delay(STOP_TIMEOUT_MS, null, { ref: false })]);
  if (up.exitCode === null && up.signalCode === null) up.kill("SIGKILL");
}

/** The preferred port when it is free, else one that the system picks. */
async function freePort(preferred: number): Promise<number> {
  for (const port of [preferred, 0]) {
    const found = await new Promise<number | null>((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(null));
      probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === "object" && address ? address.port : null));
      });
    });
    if (found !== null) return found;
  }
  throw new CliError("no free port on 127.0.0.1", EXIT.failed);
}
