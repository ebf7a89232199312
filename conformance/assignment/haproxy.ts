import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const START_LIMIT_MS = 10_000;

/** A HAProxy whose only answer is the bucket of the text it is sent, in the header `bucket`. */
const CONFIGURATION = (socketPath: string) => `
defaults
  mode http
  timeout client 10s
  timeout http-request 10s

frontend hash
  bind ${socketPath}
  http-request return status 200 hdr bucket %[req.hdr(text),b64dec,xxh32(0),mod(10000)]
`;

export interface Hasher {
  bucketOf(text: string): Promise<number>;
  stop(): Promise<void>;
}

/** Starts it on a UNIX socket inside of the folder and waits until it answers. */
export async function startHasher(folder: string): Promise<Hasher> {
  const socketPath = join(folder, "haproxy.sock");
  const file = join(folder, "haproxy.cfg");
  await writeFile(file, CONFIGURATION(socketPath));
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));

  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const hasher: Hasher = {
    bucketOf: (text) => ask(agent, socketPath, text),
    stop: () => stop(child, agent),
  };
  if (!(await answersInTime(hasher, child))) {
    child.kill("SIGKILL");
    throw new Error(`haproxy did not start: ${complaints}`);
  }
  return hasher;
}

async function answersInTime(hasher: Hasher, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + START_LIMIT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    const answer = await hasher.bucketOf("ready?").catch(() => null);
    if (answer !== null) return true;
    await delay(20);
  }
  return false;
}

function ask(agent: Agent, socketPath: string, text: string): Promise<number> {
  const headers = { host: "hash", text: Buffer.from(text).toString("base64") };
  return new Promise((resolve, reject) => {
    request({ agent, socketPath, path: "/", headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(Number(response.headers["bucket"] ?? NaN)));
    })
      .on("error", reject)
      .end();
  });
}

async function stop(child: ChildProcess, agent: Agent): Promise<void> {
  agent.destroy();
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
