import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const LAUNCHER = fileURLToPath(new URL("../../cli/bin/mainstay.js", import.meta.url));

const TIMEOUT_MS = 120_000;

export interface CommandResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** What it finds on standard input; nothing by default. */
  input?: string;
}

/** A command that still runs. */
export interface RunningCommand {
  pid: number;
  /** What it has written so far. */
  stdout(): string;
  interrupt(): void;
  ended: Promise<CommandResult>;
}

/**
 * Starts `mainstay <args>` as a process of its own. The
 * variables of this process are not its business, but PATH is.
 */
export function startCommand(
  args: string[],
  { env = {}, cwd = "/", input = "" }: CommandOptions = {},
): RunningCommand {
  const { PATH = "", HOME = "/" } = process.env;
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  // A command that does not read it has ended before it was written.
  child.stdin.on("error", () => {}).end(input);
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => (output[stream] += text));
  }
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve({ exitCode, ...output }));
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    interrupt: () => void child.kill("SIGINT"),
    ended,
  };
}

/** Runs `mainstay <args>` to its end. */
export function runCommand(args: string[], options?: CommandOptions): Promise<CommandResult> {
  return startCommand(args, options).ended;
}
