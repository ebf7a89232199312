import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { performance } from "node:perf_hooks";

/** A tool that looks at the whole repository: its words to start it, and those that mend what it finds. */
export interface Check {
  name: string;
  command: string[];
  fix?: string[];
}

export interface CheckResult {
  name: string;
  ok: boolean;
  seconds: number;
  /** What the tool printed, both streams in the order they came. */
  output: string;
}

/** Runs the checks side by side, as many as there are cores, and reports each as soon as it is done. */
export async function runChecks(
  checks: Check[],
  report: (result: CheckResult) => void,
  cores = availableParallelism(),
): Promise<CheckResult[]> {
  const waiting = [...checks];
  const results: CheckResult[] = [];
  const worker = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const result = await runCheck(check.name, check.command);
      results.push(result);
      report(result);
    }
  };
  await Promise.all(Array.from({ length: cores }, worker));
  return results;
}

/** Runs one command to its end. A command that cannot be started is a failed check. */
export function runCheck(name: string, [program = "", ...args]: string[]): Promise<CheckResult> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    let output = "";
    const finish = (ok: boolean) =>
      resolve({ name, ok, seconds: (performance.now() - startedAt) / 1000, output: output.trim() });
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", (error) => {
      output += error.message;
      finish(false);
    });
    child.on("close", (code) => finish(code === 0));
  });
}

/** `ok      types      1.2 s`, and below it what the tool found or, where it says so, counted. */
export function formatResult(result: CheckResult): string {
  const head = `${result.ok ? "ok    " : "FAILED"}  ${result.name.padEnd(10)}  ${result.seconds.toFixed(1)} s`;
  const warnings = result.ok ? linesWithWarnings(result.output) : result.output;
  return warnings === "" ? head : `${head}\n${warnings.replace(/^/gm, "    ")}`;
}

function linesWithWarnings(output: string): string {
  return output
    .split("\n")
    .filter((line) => line.startsWith("warning: "))
    .join("\n");
}
