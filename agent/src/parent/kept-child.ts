import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { backOffMs } from "../system/back-off.ts";
import { HAND_OVER, STOP } from "../system/child-process.ts";
import type { Log } from "../system/log.ts";

const BACK_OFF = { firstMs: 250, limitMs: 5000 };
/** A child that lived this long has not failed at once. */
const SETTLED_MS = 2000;

export interface ChildSpec {
  name: string;
  /** Program and arguments of the next life; told how often the child was restarted. */
  command: (restarts: number) => string[];
  env: NodeJS.ProcessEnv;
  /** Inherited as descriptors 3 and up. */
  descriptors?: number[];
}

export interface ChildStatus {
  name: string;
  pid: number | null;
  restarts: number;
  startedAt: string | null;
}

export interface KeptChild {
  status(): ChildStatus;
  /** Ends it for good: asks, waits, and after the time kills. True when it ended well, or did not run. */
  stop(ask: (child: ChildProcess) => void, timeoutMs: number): Promise<boolean>;
  /** Starts it if it is not running, even though it was stopped. */
  revive(): void;
  kill(): void;
}

/**
 * Starts a child and starts it again whenever it ends: at
 * once the first time, with growing pauses if it keeps dying.
 * A child that wants to hand over gets its successor while it still serves.
 */
export function keepChild(spec: ChildSpec, log: Log): KeptChild {
  let child: ChildProcess | null = null;
  const leaving = new Set<ChildProcess>();
  let timer: NodeJS.Timeout | null = null;
  let startedAtMs = 0;
  let startedAt = "";
  let restarts = 0;
  let quickDeaths = 0;
  let isStopping = false;

  function start(): void {
    const [program = "", ...args] = spec.command(restarts);
    startedAtMs = performance.now();
    startedAt = new Date().toISOString();
    // Its own session: Ctrl-C reaches the parent alone, which then stops its children in the right order.
    const begun = spawn(program, args, { stdio: stdioOf(spec), env: spec.env, detached: true });
    begun.on("error", (error) => {
      if (begun.pid === undefined) ended(`cannot start: ${error.message}`);
      else log.warn({ child: spec.name, error: error.message }, "a child could not be reached");
    });
    begun.once("exit", (code, signal) => {
      if (!leaving.delete(begun)) ended(signal ?? `exit code ${code}`);
    });
    begun.on("message", (message) => {
      if (message === HAND_OVER) succeed(begun);
    });
    child = begun;
  }

  function succeed(leaver: ChildProcess): void {
    if (isStopping || leaver !== child) return void leaver.send(STOP);
    leaving.add(leaver);
    restarts += 1;
    log.info({ child: spec.name, pid: leaver.pid, restarts }, "a child hands over to another");
    start();
  }

  function ended(reason: string): void {
    if (!child) return;
    const pid = child.pid;
    child = null;
    if (isStopping) return;
    quickDeaths = performance.now() - startedAtMs < SETTLED_MS ? quickDeaths + 1 : 0;
    const waitMs = backOffMs(quickDeaths - 1, BACK_OFF);
    restarts += 1;
    log.warn({ child: spec.name, pid, reason, restarts, waitMs }, "a child ended and is started again");
    timer = setTimeout(start, waitMs);
  }

  start();

  return {
    status: () => ({
      name: spec.name,
      pid: child?.pid ?? null,
      restarts,
      startedAt: child ? startedAt : null,
    }),
    stop(ask, timeoutMs) {
      isStopping = true;
      if (timer) clearTimeout(timer);
      const running = [...leaving, ...(child ? [child] : [])];
      return Promise.all(running.map((each) => end(each, ask, timeoutMs))).then((all) => all.every(Boolean));
    },
    revive() {
      if (timer) clearTimeout(timer);
      if (!child) start();
    },
    kill() {
      isStopping = true;
      if (timer) clearTimeout(timer);
      for (const each of [...leaving, ...(child ? [child] : [])]) each.kill("SIGKILL");
    },
  };
}

/** True when it ended well. */
function end(child: ChildProcess, ask: (child: ChildProcess) => void, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    child.once("exit", (code) => {
      clearTimeout(limit);
      resolve(code === 0);
    });
    ask(child);
  });
}

function stdioOf(spec: ChildSpec): StdioOptions {
  return ["ignore", "inherit", "inherit", ...(spec.descriptors ?? []), "ipc"];
}
