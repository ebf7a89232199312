import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort } from "./free-port.ts";
import { waitUntil } from "./wait-until.ts";

export interface RunningProgram {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Debian's Prometheus on an empty directory, scraping nothing, taking remote-write. */
export async function startPrometheus(directory: string, more: string[] = []): Promise<RunningProgram> {
  await mkdir(directory, { recursive: true });
  const config = join(directory, "prometheus.yml");
  await writeFile(config, "global: {}\n");
  const place = [`--config.file=${config}`, `--storage.tsdb.path=${join(directory, "data")}`];
  const settings = ["--web.enable-remote-write-receiver", "--log.level=warn", ...more];
  const listen = (port: number) => [`--web.listen-address=127.0.0.1:${port}`];
  return startProgram("prometheus", (port) => [...place, ...settings, ...listen(port)], "/-/ready");
}

/** Starts a program that serves HTTP on the port it is given; resolves when `readyPath` answers 200. */
export async function startProgram(
  program: string,
  args: (port: number) => string[],
  readyPath: string,
): Promise<RunningProgram> {
  const port = findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(program, args(port), { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-4000)));
  const exit = once(child, "exit");
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${words}`);
    const answer = await fetch(`${url}${readyPath}`).catch(() => null);
    await answer?.arrayBuffer();
    return answer?.status === 200;
  };
  await waitUntil(`${program} to be ready`, isReady);
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      child.kill("SIGTERM");
      await exit;
    },
  };
}
