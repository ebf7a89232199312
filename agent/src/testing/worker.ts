import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { BoundSocket, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type {
  ProxyLimits,
  WorkerArm,
  WorkerCounters,
  WorkerHttps,
  WorkerRouting,
  WorkerService,
  WorkerStatus,
} from "../proxy/worker-protocol.ts";
import { sampleService } from "./sample-service.ts";
import { lookForHaproxy } from "../haproxy/look-for-haproxy.ts";
import { addTotals } from "../supervisor/counter-sums.ts";
import { HAND_OVER, STOP } from "../system/child-process.ts";
import { createSelfSigned } from "../system/self-signed.ts";
import { createUnixClient } from "../system/unix-client.ts";
import { waitFor } from "./wait-for.ts";

const ENTRIES = {
  node: fileURLToPath(new URL("../proxy-main.ts", import.meta.url)),
  haproxy: fileURLToPath(new URL("../haproxy-main.ts", import.meta.url)),
};

/** Who serves what comes in: the worker itself, or HAProxy before it. */
export type TestEngine = keyof typeof ENTRIES;

export interface TestWorker {
  url: string;
  port: number;
  process(): ChildProcess;
  route(services: Partial<WorkerService>[], draining?: string[]): Promise<WorkerStatus>;
  /** The port of TLS. */
  tlsPort: number;
  https(settings: Partial<WorkerHttps>): Promise<WorkerStatus>;
  status(): Promise<WorkerStatus>;
  counters(): Promise<WorkerCounters>;
  /** Starts the slot's next process on the same socket. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Those whose contract can be tested here: HAProxy only where it is installed. */
export const TEST_ENGINES: TestEngine[] = lookForHaproxy().haproxy === null ? ["node"] : ["node", "haproxy"];

/** As `mainstay.platform.yaml` has them by default. */
export const TEST_LIMITS: ProxyLimits = {
  bodyBytes: 1024 ** 3,
  headerBytes: 32_768,
  headerCount: 100,
  headerTimeoutMs: 15_000,
  bodyTimeoutMs: 30_000,
  connections: 8192,
  held: 1000,
};

interface TestWorkerOptions {
  drainTimeoutMs?: number;
  limits?: Partial<ProxyLimits>;
  trustedProxies?: string[];
  engine?: TestEngine;
}

/** One proxy worker as a real process, with a listening socket that outlives it. */
export async function startTestWorker({
  drainTimeoutMs = 5000,
  limits = {},
  trustedProxies = [],
  engine = "node",
}: TestWorkerOptions = {}): Promise<TestWorker> {
  const directory = mkdtempSync(join(tmpdir(), "mainstay-worker-"));
  const bound = new BoundSocket({ host: "127.0.0.1", port: 0 });
  const { port } = bound.address();
  const boundTls = new BoundSocket({ host: "127.0.0.1", port: 0 });
  const tlsPort = boundTls.address().port;
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "mainstay-test-cache") };
  let revision = 0;
  let restarts = 0;

  function launch(kind: TestEngine, slot: number): ChildProcess {
    const behind = join(directory, "behind-0.sock");
    const options = {
      slot,
      restarts,
      runtimeDirectory: directory,
      routingFile: join(directory, "routing.json"),
      httpsFile: join(directory, "https.json"),
      drainTimeoutMs,
      limits: { ...TEST_LIMITS, ...limits },
      trustedProxies,
      ...(kind === engine ? {} : { behind }),
      ...(kind === "haproxy" ? { threads: 1, nodes: [behind] } : {}),
    };
    const stdio = ["ignore", "inherit", "inherit", bound.fd(), boundTls.fd(), "ipc"] as const;
    const child = spawn(process.execPath, [ENTRIES[kind], JSON.stringify(options)], {
      stdio: [...stdio],
      env,
    });
    // Nobody is to follow until the test says so.
    child.on("message", (message) => void (message === HAND_OVER && child.send(STOP)));
    return child;
  }

  // The first is the one that accepts.
  const kinds: TestEngine[] = engine === "node" ? ["node"] : ["haproxy", "node"];
  const slots = kinds.map((kind, slot) => ({
    child: launch(kind, slot),
    control: createUnixClient(join(directory, `proxy-${slot}.sock`)),
  }));
  type Slot = (typeof slots)[number];
  const [first] = slots as [Slot];

  async function untilUp({ control, child }: Slot): Promise<void> {
    await waitFor("the worker to answer", () =>
      control.call("GET", "/v1/status").then(
        ({ body }) => (body as WorkerStatus).pid === child.pid,
        () => false,
      ),
    );
  }

  async function askAll<Answer extends WorkerStatus>(method: string, path: string, body?: unknown) {
    const asked = slots.map(({ control }) => control.call(method, path, body === undefined ? {} : { body }));
    return (await Promise.all(asked)).map((each) => each.body as Answer);
  }

  async function status(method = "GET", path = "/v1/status", body?: unknown): Promise<WorkerStatus> {
    return (await askAll<WorkerStatus>(method, path, body)).reduce(addStatus);
  }

  await Promise.all(slots.map(untilUp));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    tlsPort,
    process: () => first.child,
    status: () => status(),
    async route(services, draining = []) {
      revision += 1;
      const routing: WorkerRouting = {
        revision,
        generation: revision,
        cookieKey: Buffer.alloc(32, 1).toString("base64"),
        services: services.map((each) => sampleService({ stable: null, ...each })),
        draining,
      };
      return status("PUT", "/v1/routing", routing);
    },
    async https(settings) {
      revision += 1;
      return status("PUT", "/v1/https", completeHttps({ revision, port: tlsPort, ...settings }));
    },
    async counters() {
      const all = await askAll<WorkerCounters>("GET", "/v1/counters");
      return all.reduce((one, other) => ({ ...addStatus(one, other), ...addTotals(one, other) }));
    },
    async restart() {
      restarts += 1;
      first.child = launch(engine, 0);
      await untilUp(first);
    },
    async stop() {
      for (const { child, control } of slots) {
        control.close();
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const exit = once(child, "exit");
        child.kill("SIGKILL");
        await exit;
      }
      bound.close();
      boundTls.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** As of one worker: the first is asked who it is, both what they have in flight. */
function addStatus<Status extends WorkerStatus>(one: Status, other: Status): Status {
  const sum = (read: (each: WorkerStatus) => Record<string, number>) => {
    const total = { ...read(one) };
    for (const [id, count] of Object.entries(read(other))) total[id] = (total[id] ?? 0) + count;
    return total;
  };
  const inflight = one.inflight + other.inflight;
  return { ...one, inflight, instances: sum((each) => each.instances), streams: sum((each) => each.streams) };
}

function completeHttps(https: Partial<WorkerHttps>): WorkerHttps {
  return {
    revision: 0,
    certificates: [],
    fallback: createSelfSigned({ hosts: ["mainstay.invalid"], from: new Date(), days: 1 }),
    challenges: [],
    port: 443,
    redirect: true,
    secureHosts: [],
    hstsSeconds: 0,
    ticketKey: Buffer.alloc(48, 7).toString("base64"),
    ...https,
  };
}

export interface TestUpstream {
  server: Server;
  port: number;
  arm: (release: string, id?: string) => WorkerArm;
  stop(): Promise<void>;
}

/** An application in this process. */
export async function startUpstream(listener: RequestListener, fixedPort = 0): Promise<TestUpstream> {
  const server = createServer(listener).listen(fixedPort, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    server,
    port,
    arm: (release, id = `ins_${release}`) => ({ release, instances: [{ id, port }] }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends bytes as they are and resolves with everything that came back until the connection ended. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.setEncoding("latin1");
  let answer = "";
  socket.on("data", (chunk) => (answer += chunk));
  socket.on("error", () => {});
  socket.write(bytes, "latin1");
  await once(socket, "close");
  return answer;
}
