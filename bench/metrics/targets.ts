import { execFile } from "node:child_process";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startProduct } from "../../tests/support/product.ts";
import { startOnPort, startPrometheus } from "../../tests/support/prometheus.ts";

const LOOKS = 20;
const LOOK_MS = 500;

export type Version = 1 | 2;

/** A receiver at work. */
export interface Target {
  name: string;
  /** The process, or the tree of processes, that receives, stores and answers. */
  pid: number;
  /** Of the HTTP API; `/api/v1/…` follows. */
  url: string;
  headers: Record<string, string>;
  /** Parameters of a query that keep it from answering out of a cache. */
  queryOptions: Record<string, string>;
  /** Writes out what it keeps in memory; answers the bytes it takes on disk in the end. */
  diskBytes(): Promise<number>;
  stop(): Promise<void>;
}

export interface TargetKind {
  name: string;
  version: Version;
  start(folder: string): Promise<Target>;
}

export const TARGETS: TargetKind[] = [
  { name: "Prometheus", version: 1, start: prometheus },
  { name: "VictoriaMetrics", version: 1, start: victoriaMetrics },
  { name: "Mainstay, remote-write 1", version: 1, start: mainstay },
  { name: "Mainstay, remote-write 2", version: 2, start: mainstay },
];

/** The versions of the peers, as Debian names them. */
export async function peerVersions(): Promise<string> {
  const format = "-f=${Package} ${Version}\\n";
  const { stdout } = await promisify(execFile)("dpkg-query", [
    "-W",
    format,
    "prometheus",
    "victoria-metrics",
  ]);
  return stdout.trim().replaceAll("\n", ", ");
}

async function prometheus(folder: string): Promise<Target> {
  const running = await startPrometheus(folder, { more: ["--web.enable-admin-api"] });
  return {
    ...running,
    name: "Prometheus",
    headers: {},
    queryOptions: {},
    async diskBytes() {
      await post(`${running.url}/api/v1/admin/tsdb/snapshot`);
      return bytesBelow(join(folder, "data", "snapshots"));
    },
  };
}

async function victoriaMetrics(folder: string): Promise<Target> {
  const data = join(folder, "victoria");
  const settings = [`-storageDataPath=${data}`, "-retentionPeriod=12", "-search.latencyOffset=0s"];
  const running = await startOnPort((port) => ({
    program: "victoria-metrics",
    args: [...settings, `-httpListenAddr=127.0.0.1:${port}`, "-loggerLevel=ERROR"],
    readyPath: "/health",
  }));
  return {
    ...running,
    name: "VictoriaMetrics",
    headers: {},
    queryOptions: { nocache: "1" },
    async diskBytes() {
      await post(`${running.url}/internal/force_flush`);
      await post(`${running.url}/internal/force_merge`);
      return bytesBelow(data);
    },
  };
}

/** The whole platform; of its processes the server, in which the store lives. */
async function mainstay(folder: string): Promise<Target> {
  await mkdir(folder, { recursive: true });
  const product = await startProduct();
  const headers = { authorization: `Bearer ${product.access().MAINSTAY_TOKEN}` };
  const url = `${product.url}/prometheus`;
  return {
    name: "Mainstay",
    pid: await product.pidOf("server"),
    url,
    headers,
    queryOptions: {},
    async diskBytes() {
      await post(`${url}/api/v1/admin/tsdb/snapshot`, headers);
      return bytesBelow(join(product.dataDirectory, "metrics", "snapshots"));
    },
    stop: () => product.stop(),
  };
}

async function post(url: string, headers: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(url, { method: "POST", headers });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** Files may come and go meanwhile: what is merged makes room. */
async function bytesBelow(folder: string): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
      const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
      return sizes.reduce((sum, each) => sum + each, 0);
    } catch (error) {
      const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (!isGone || attempt === LOOKS) throw error;
      await sleep(LOOK_MS);
    }
  }
}
