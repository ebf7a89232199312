import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { LAUNCHER } from "./command.ts";
import { findProcessesOf } from "./process-search.ts";
import { waitUntil } from "./wait-until.ts";

const STOP_DEADLINE_MS = 60_000;
const SHOWN_LINES = 60;

export interface UpOptions {
  /** Its working directory, where its log is kept; whatever runs on its behalf can be told by it. */
  directory: string;
  /** Its variables beyond PATH and HOME. */
  env: Record<string, string>;
}

/** `mainstay up` as a process of its own. */
export interface UpProcess {
  pid(): number;
  hasEnded(): boolean;
  /** Everything it and its children have written, in all of its lives. */
  log(): string;
  /** Starts it once more, after it was killed. */
  again(): Promise<void>;
  /** Stops it in order, ends what it left behind, and throws if there was anything of that. */
  stop(): Promise<void>;
}

export function startUp({ directory, env }: UpOptions): UpProcess {
  const logFile = path.join(directory, "mainstay.log");
  let child = launch();

  function launch(): ChildProcess {
    const log = openSync(logFile, "a");
    const { PATH = "", HOME = "/" } = process.env;
    const launched = spawn(process.execPath, [LAUNCHER, "up"], {
      cwd: directory,
      env: { PATH, HOME, ...env },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    hireUndertaker(launched);
    return launched;
  }

  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;

  async function endInOrder(): Promise<boolean> {
    if (!hasEnded()) child.kill("SIGTERM");
    const limit = { deadlineMs: STOP_DEADLINE_MS };
    return waitUntil("mainstay up to end", hasEnded, limit).catch(() => false);
  }

  return {
    pid: () => child.pid ?? 0,
    hasEnded,
    log: () => readFileSync(logFile, "utf8"),
    async again() {
      await waitUntil("the killed mainstay up to be gone", hasEnded);
      child = launch();
    },
    async stop() {
      const isInOrder = await endInOrder();
      const left = findProcessesOf(directory);
      for (const { pid } of left) kill(pid);
      if (isInOrder && left.length === 0) return;
      const lines = readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-SHOWN_LINES);
      const what = isInOrder ? "left running" : `not stopped within ${STOP_DEADLINE_MS} ms`;
      throw new Error(`${what}: ${JSON.stringify(left, null, 2)}\n${lines.join("\n")}`);
    },
  };
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

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}
