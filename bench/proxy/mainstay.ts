import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { BoundSocket } from "node:net";
import { join } from "node:path";
import { SMALL_YOUNG_GENERATION } from "../../agent/src/parent/describe-children.ts";
import { createIdentities } from "../../agent/src/proxy/identity.ts";
import type { WorkerArm, WorkerOptions, WorkerRouting } from "../../agent/src/proxy/worker-protocol.ts";
import { TEST_LIMITS } from "../../agent/src/testing/worker.ts";
import type { PeerSetting, RunningPeer } from "./peer.ts";
import { startProcess } from "../../tests/support/started-process.ts";

const ENTRY = join(import.meta.dirname, "../../agent/src/proxy-main.ts");

export interface Variant {
  name: string;
  /** With a candidate in traffic each request is assigned by the signed id of its user. */
  hasChange: boolean;
}

/** One proxy worker as the agent starts it: the socket inherited, the routing table read from its file. */
export async function startMainstay(setting: PeerSetting, variant: Variant): Promise<RunningPeer> {
  const runtimeDirectory = join(setting.folder, variant.hasChange ? "two-arms" : "one-arm");
  await mkdir(runtimeDirectory, { mode: 0o700 });
  const cookieKey = randomBytes(32);
  const routingFile = join(runtimeDirectory, "routing.json");
  await writeFile(routingFile, JSON.stringify(routingOf(setting.backendPort, variant, cookieKey)));

  const options: WorkerOptions = {
    slot: 0,
    restarts: 0,
    runtimeDirectory,
    routingFile,
    httpsFile: null,
    drainTimeoutMs: 1000,
    limits: TEST_LIMITS,
    trustedProxies: [],
  };
  const socket = new BoundSocket({ host: "127.0.0.1", port: 0 });
  const { port } = socket.address();
  // As the parent starts it.
  const args = [SMALL_YOUNG_GENERATION, ENTRY, JSON.stringify(options)];
  const started = await startProcess({ program: process.execPath, args, descriptor: socket.fd() }, port);
  socket.close();
  const [cookie = ""] = createIdentities(cookieKey).issue(false).setCookie.split(";");
  const headers = variant.hasChange ? [`Cookie: ${cookie}`] : [];
  return { ...started, name: variant.name, url: `http://127.0.0.1:${port}/`, headers };
}

/** One service with one instance behind each arm. */
export function routingOf(port: number, { hasChange }: Variant, cookieKey: Buffer): WorkerRouting {
  const arm = (release: string): WorkerArm => ({ release, instances: [{ id: `ins_${release}`, port }] });
  return {
    revision: 1,
    generation: 1,
    cookieKey: cookieKey.toString("base64"),
    draining: [],
    services: [
      {
        service: "bench",
        environment: "production",
        routes: [{ host: null, path: "/" }],
        change: hasChange ? "chg_bench" : null,
        assignmentHeader: null,
        weight: hasChange ? 5000 : 0,
        stable: arm("rel_stable"),
        candidate: hasChange ? arm("rel_candidate") : null,
        requestTimeoutMs: 30_000,
        connections: { balance: "round-robin", drainTimeoutMs: 0, holdTimeoutMs: 0 },
        maintenance: null,
      },
    ],
  };
}
