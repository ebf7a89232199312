import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort } from "./free-port.ts";
import { startProcess, type ProcessCommand, type StartedProcess } from "./started-process.ts";

/** Whether Debian's package `prometheus` is installed, with `promtool` in it. */
export const HAS_PROMETHEUS = spawnSync("promtool", ["--version"], { stdio: "ignore" }).status === 0;

export interface RunningProgram extends StartedProcess {
  url: string;
}

interface PrometheusOptions {
  more?: string[];
  /** What stands in its file. */
  config?: object;
}

/** Debian's Prometheus on its directory, scraping nothing unless told, taking remote-write. */
export async function startPrometheus(
  directory: string,
  { more = [], config: written = { global: {} } }: PrometheusOptions = {},
): Promise<RunningProgram> {
  await mkdir(directory, { recursive: true });
  const config = join(directory, "prometheus.yml");
  // JSON is YAML.
  await writeFile(config, JSON.stringify(written));
  const place = [`--config.file=${config}`, `--storage.tsdb.path=${join(directory, "data")}`];
  const settings = ["--web.enable-remote-write-receiver", "--log.level=warn", ...more];
  return startOnPort((port) => ({
    program: "prometheus",
    args: [...place, ...settings, `--web.listen-address=127.0.0.1:${port}`],
    readyPath: "/-/ready",
  }));
}

/** Starts a program of others on a free port. */
export async function startOnPort(command: (port: number) => ProcessCommand): Promise<RunningProgram> {
  const port = findFreePort();
  return { url: `http://127.0.0.1:${port}`, ...(await startProcess(command(port), port)) };
}
