import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CliError, EXIT } from "../cli-error.ts";
import type { LoadLine, LoadSummary, LoadTick } from "./load/load-lines.ts";
import type { LoadSettings } from "./load/load-options.ts";

const ENTRY = fileURLToPath(new URL("./load/load-main.ts", import.meta.url));

/** The load generator at work. */
export interface LoadProcess {
  latest(): LoadTick | null;
  /** Ends the load; resolves to its figures once everything in flight was answered. */
  stop(): Promise<LoadSummary>;
}

/** Starts the load generator in a process of its own; resolves once it sends. */
export async function startLoad(settings: LoadSettings): Promise<LoadProcess> {
  const child = spawn(process.execPath, [ENTRY, JSON.stringify(settings)], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const complaints: string[] = [];
  let tick: LoadTick | null = null;
  const started = Promise.withResolvers<void>();
  const summary = Promise.withResolvers<LoadSummary>();
  summary.promise.catch(() => undefined);

  function take(line: LoadLine): void {
    if (line.type === "ready") started.resolve();
    if (line.type === "tick") tick = line;
    if (line.type === "summary") summary.resolve(line);
  }
  createInterface({ input: child.stdout }).on("line", (line) => take(JSON.parse(line) as LoadLine));
  child.stderr.on("data", (chunk: Buffer) => complaints.push(chunk.toString()));
  child.once("close", () => {
    const error = new CliError(`the load generator ended: ${complaints.join("").slice(-1000)}`, EXIT.failed);
    started.reject(error);
    summary.reject(error);
  });
  await started.promise;
  return {
    latest: () => tick,
    stop() {
      child.kill("SIGTERM");
      return summary.promise;
    },
  };
}
