import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { isSameProcess, readProcess } from "../system/process-table.ts";
import type { Exit } from "./way.ts";

const EXIT_POLL_MS = 200;

export interface RunningProcess {
  pid: number;
  startTicks: number;
  /** Code and signal are unknown (null) when the process is not this agent's child. */
  exited: Promise<Exit>;
}

export interface LaunchOptions {
  command: string;
  directory: string;
  logDirectory: string;
  environment: Record<string, string>;
  /** The process writes its id into each of these before the command takes its place. */
  joinFiles?: string[];
  /** Where the exit code is written when the command has ended: it can then be read by another agent. */
  exitFile?: string;
  /** A file that it finds on standard input; without one there is nothing. */
  input?: string | null;
}

/** Joins the groups first: what the command starts belongs to them too. */
const JOIN = 'for file do echo $$ > "$file" || exit 125; done; shift $#;';
/** The exit code reaches the disk whole or not at all. */
const KEEP_EXIT = '/bin/sh -c "$1"; code=$?; echo $code > "$2.new" && mv "$2.new" "$2"; exit $code';

/**
 * Starts a command in a session of its own, its output going straight to files: it outlives this
 * process, and none of its bytes pass through it. Rejects when it cannot be started at all.
 */
export async function launch({
  command,
  directory,
  logDirectory,
  environment,
  joinFiles = [],
  exitFile,
  input = null,
}: LaunchOptions): Promise<RunningProcess> {
  mkdirSync(logDirectory, { recursive: true });
  const source = openSync(input ?? "/dev/null", "r");
  const output = openSync(join(logDirectory, "stdout.log"), "a", 0o640);
  const errors = openSync(join(logDirectory, "stderr.log"), "a", 0o640);
  const kept =
    exitFile === undefined
      ? `exec ${command}`
      : `set -- ${[command, exitFile].map(quote).join(" ")}; ${KEEP_EXIT}`;
  const child = spawn("/bin/sh", ["-c", `${JOIN} ${kept}`, "mainstay", ...joinFiles], {
    cwd: directory,
    env: environment,
    detached: true,
    stdio: [source, output, errors],
  });
  for (const file of [source, output, errors]) closeSync(file);
  const exited = new Promise<Exit>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const pid = child.pid ?? 0;
  child.unref();
  return { pid, startTicks: readProcess(pid)?.startTicks ?? 0, exited };
}

/** Takes up a process that an earlier agent started; null when it is not there any more. */
export function adopt(pid: number, startTicks: number): RunningProcess | null {
  if (!isSameProcess(pid, startTicks)) return null;
  const exited = watchProcess(pid, startTicks).then(() => ({ code: null, signal: null }));
  return { pid, startTicks, exited };
}

/** Resolves when a process has ended that is no child of this one. */
export function watchProcess(pid: number, startTicks: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isSameProcess(pid, startTicks)) return;
      clearInterval(timer);
      resolve();
    }, EXIT_POLL_MS);
  });
}

/** A text as one word of /bin/sh. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
