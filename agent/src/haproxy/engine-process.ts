import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { CLOSING } from "./render-config.ts";
import { parseServerStatus, type RuntimeSocket, type ServerStatus } from "./runtime-socket.ts";
import type { MapFiles } from "./plan-commands.ts";

const START_TIMEOUT_MS = 10_000;
const POLL_MS = 10;
/** As long as an idle connection gets to come with its next request, and be told to go. */
const GRACE_MS = 2000;

export interface EngineProcess {
  readonly socket: RuntimeSocket;
  readonly exited: Promise<string>;
  isRunning(): boolean;
  /** What its instances have in flight; nothing of one that has ended. */
  servers(): Promise<ServerStatus[]>;
  /** From now on whatever it is asked goes to the Node worker, which has the newest table. */
  yieldRoutes(): Promise<void>;
  /** Sends everybody elsewhere, then ends when nothing is left or its time is over. */
  retire(): Promise<void>;
  kill(): void;
}

export interface EngineProcessOptions {
  configFile: string;
  socket: RuntimeSocket;
  maps: MapFiles;
  /** Inherited as 3 and up. */
  descriptors: number[];
}

/**
 * Starts HAProxy and resolves when it serves; rejects with its own words when it does not. It ends by itself,
 * in good order, when this process is killed: the next one of the slot starts another on the same socket.
 */
export async function startEngineProcess(options: EngineProcessOptions): Promise<EngineProcess> {
  const { configFile, socket, maps, descriptors } = options;
  const command = ["--pdeathsig", "USR1", "haproxy", "-db", "-f", configFile];
  const child = spawn("setpriv", command, { stdio: ["ignore", "ignore", "pipe", ...descriptors] });
  let words = "";
  let isRunning = true;
  child.stderr?.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2000)));
  const exited = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(`${signal ?? `exit code ${code}`} ${words}`.trim()));
  });
  void exited.then(() => (isRunning = false));

  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  const answers = () => socket.ask("show info").then(Boolean, () => false);
  while (isRunning && !(await answers())) {
    if (performance.now() > deadlineMs) child.kill("SIGKILL");
    await sleep(POLL_MS);
  }
  if (!isRunning) throw new Error(`HAProxy did not start: ${await exited}`);

  async function connections(): Promise<number> {
    const info = await socket.ask("show info").catch(() => "");
    // The one that asks is one of them.
    return Number(/^CurrConns: (\d+)$/m.exec(info)?.[1] ?? 1) - 1;
  }

  async function yieldRoutes(): Promise<void> {
    const lines = [`add map ${maps.rows} ${CLOSING} 1`, `clear map ${maps.routes}`];
    for (const line of lines) await socket.ask(line).catch(() => "");
  }

  return {
    socket,
    exited,
    isRunning: () => isRunning,
    async servers() {
      if (!isRunning) return [];
      return parseServerStatus(await socket.ask("show stat -1 4 -1").catch(() => ""));
    },
    yieldRoutes,
    async retire() {
      await yieldRoutes();
      const untilMs = performance.now() + GRACE_MS;
      while (isRunning && performance.now() < untilMs && (await connections()) > 0) await sleep(POLL_MS);
      child.kill("SIGUSR1");
      await exited;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}
