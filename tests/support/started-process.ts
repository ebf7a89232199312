import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { waitUntil } from "./wait-until.ts";

const START_LIMIT_MS = 15_000;
const STOP_LIMIT_MS = 3_000;

export interface StartedProcess {
  pid: number;
  stop(): Promise<void>;
}

export interface ProcessCommand {
  program: string;
  args: string[];
  env?: Record<string, string>;
  /** Inherited as descriptor 3. */
  descriptor?: number;
  /** What answers 200 once it serves; "/" unless given. */
  readyPath?: string;
}

/**
 * Starts a program of others and waits until it answers 200
 * on the port; when it does not, its words are the error.
 */
export async function startProcess(command: ProcessCommand, port: number): Promise<StartedProcess> {
  const child = spawn(command.program, command.args, {
    env: { ...process.env, ...command.env },
    stdio: ["ignore", "ignore", "pipe", command.descriptor ?? "ignore"],
  });
  let complaints = "";
  child.stderr?.on("data", (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-4000)));
  const url = `http://127.0.0.1:${port}${command.readyPath ?? "/"}`;
  const look = async () => hasEnded(child) || (await answers(url));
  await waitUntil(url, look, { deadlineMs: START_LIMIT_MS }).catch(() => null);
  if (hasEnded(child) || !(await answers(url))) {
    child.kill("SIGKILL");
    throw new Error(`${command.program} did not answer on port ${port}: ${complaints}`);
  }
  return { pid: child.pid ?? 0, stop: () => stop(child) };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url).catch(() => null);
  await answer?.arrayBuffer();
  return answer?.status === 200;
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const what = "the program to end";
  await waitUntil(what, () => hasEnded(child), { deadlineMs: STOP_LIMIT_MS }).catch(() => null);
  child.kill("SIGKILL");
  await exited;
}
