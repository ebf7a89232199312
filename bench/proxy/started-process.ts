import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const START_LIMIT_MS = 15_000;

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
}

/** Starts a program and waits until it answers 200 on the port; when it does not, its words are the error. */
export async function startProcess(command: ProcessCommand, port: number): Promise<StartedProcess> {
  const child = spawn(command.program, command.args, {
    env: { ...process.env, ...command.env },
    stdio: ["ignore", "ignore", "pipe", command.descriptor ?? "ignore"],
  });
  let complaints = "";
  child.stderr?.on("data", (chunk: Buffer) => (complaints = (complaints + chunk.toString()).slice(-4000)));
  if (!(await answersInTime(child, port))) {
    child.kill("SIGKILL");
    throw new Error(`${command.program} did not answer on port ${port}: ${complaints}`);
  }
  return { pid: child.pid ?? 0, stop: () => stop(child) };
}

/** A port that was free a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function answersInTime(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return true;
    await delay(50);
  }
  return false;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await Promise.race([exited, delay(3000)]);
  child.kill("SIGKILL");
  await exited;
}
