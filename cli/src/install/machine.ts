import { spawn } from "node:child_process";
import path from "node:path";

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** The machine that is altered; a test gives one whose files lie in a folder and whose commands are told. */
export interface Machine {
  /** Where an absolute path of the machine really lies. */
  path(absolute: string): string;
  /** Runs a program to its end; a program that is not there ends with 127, as in a shell. */
  run(command: string[], options?: RunOptions): Promise<Ran>;
  chown(absolute: string, owner: string): Promise<void>;
}

export interface RunOptions {
  /** The account that runs it; needs root. */
  as?: string;
  input?: string;
}

const NOT_FOUND = 127;

/** This machine. */
export function createThisMachine(): Machine {
  const run: Machine["run"] = (command, { as, input = "" } = {}) =>
    runProgram(as === undefined ? command : ["runuser", "-u", as, "--", ...command], input);
  return {
    path: (absolute) => absolute,
    run,
    async chown(absolute, owner) {
      await mustRun({ run }, ["chown", "--no-dereference", owner, absolute]);
    },
  };
}

/** Runs a program that has to succeed; answers what it wrote. */
export async function mustRun(
  { run }: Pick<Machine, "run">,
  command: string[],
  options?: RunOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await run(command, options);
  if (exitCode === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-3).join("; ");
  throw new Error(`${command.slice(0, 4).join(" ")} ended with ${exitCode}: ${said}`);
}

function runProgram([program = "", ...args]: string[], input: string): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], env, cwd: path.sep });
    const output = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => (output[stream] += text));
    }
    child.once("error", (error) => resolve({ exitCode: NOT_FOUND, stdout: "", stderr: error.message }));
    child.once("close", (code) => resolve({ exitCode: code ?? 1, ...output }));
    child.stdin.on("error", () => {}).end(input);
  });
}
