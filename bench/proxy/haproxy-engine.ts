import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { BoundSocket } from "node:net";
import { join } from "node:path";
import type { KeeperOptions } from "../../agent/src/haproxy/keeper-options.ts";
import { engineTableOf } from "../../agent/src/haproxy/engine-table.ts";
import { renderConfig, renderMap } from "../../agent/src/haproxy/render-config.ts";
import { SMALL_YOUNG_GENERATION } from "../../agent/src/parent/describe-children.ts";
import { createIdentities } from "../../agent/src/proxy/identity.ts";
import { TEST_LIMITS } from "../../agent/src/testing/worker.ts";
import { routingOf, type Variant } from "./mainstay.ts";
import type { PeerSetting, RunningPeer } from "./peer.ts";
import { findFreePort } from "../../tests/support/free-port.ts";
import { startProcess } from "../../tests/support/started-process.ts";

const ENTRY = join(import.meta.dirname, "../../agent/src/haproxy-main.ts");

/** What tells the judge of each request. */
const COUNTING = /^ {2}(?:log |log-format |http-re\S+ set-var\(txn\.(?:start|us)\))/;

/** HAProxy alone, with the same configuration but for what counts. */
export async function startUncounted(
  { folder, backendPort }: PeerSetting,
  variant: Variant,
): Promise<RunningPeer> {
  const directory = join(folder, variant.hasChange ? "uncounted-two" : "uncounted-one");
  await mkdir(directory);
  const cookieKey = randomBytes(32);
  const table = engineTableOf(routingOf(backendPort, variant, cookieKey));
  const maps = { routes: join(directory, "routes.map"), rows: join(directory, "rows.map") };
  await writeFile(maps.routes, renderMap(table.routes));
  await writeFile(maps.rows, renderMap(table.rows));
  const paths = { admin: join(directory, "admin"), log: join(directory, "log"), nodes: [], maps };
  const limits = { limits: TEST_LIMITS, threads: 1, drainTimeoutMs: 1000, trustedProxies: [] };
  const text = renderConfig({ table, cookieKey: cookieKey.toString("base64"), paths, ...limits });
  const port = findFreePort();
  const sections = text.split("\n\n").filter((section) => !section.startsWith("ring "));
  const lines = sections
    .join("\n\n")
    .split("\n")
    .filter((line) => !COUNTING.test(line));
  const file = join(directory, "haproxy.cfg");
  await writeFile(file, lines.join("\n").replace("bind fd@3", `bind 127.0.0.1:${port}`));
  const started = await startProcess({ program: "haproxy", args: ["-db", "-f", file] }, port);
  return { ...started, ...requestsTo(port, variant, cookieKey) };
}

/** HAProxy and its keeper as the parent starts them; measured together. */
export async function startHaproxyEngine(setting: PeerSetting, variant: Variant): Promise<RunningPeer> {
  const runtimeDirectory = join(setting.folder, variant.hasChange ? "engine-two" : "engine-one");
  await mkdir(runtimeDirectory, { mode: 0o700 });
  const cookieKey = randomBytes(32);
  const routingFile = join(runtimeDirectory, "routing.json");
  await writeFile(routingFile, JSON.stringify(routingOf(setting.backendPort, variant, cookieKey)));
  const options: KeeperOptions = {
    slot: 0,
    restarts: 0,
    runtimeDirectory,
    routingFile,
    drainTimeoutMs: 1000,
    limits: TEST_LIMITS,
    trustedProxies: [],
    threads: 1,
    nodes: [],
  };
  const socket = new BoundSocket({ host: "127.0.0.1", port: 0 });
  const { port } = socket.address();
  const started = await startProcess(
    {
      program: process.execPath,
      args: [SMALL_YOUNG_GENERATION, ENTRY, JSON.stringify(options)],
      descriptor: socket.fd(),
    },
    port,
  );
  socket.close();
  return { ...started, ...requestsTo(port, variant, cookieKey) };
}

/** During a change each request carries its user's id. */
function requestsTo(port: number, { name, hasChange }: Variant, cookieKey: Buffer) {
  const [cookie = ""] = createIdentities(cookieKey).issue(false).setCookie.split(";");
  return { name, url: `http://127.0.0.1:${port}/`, headers: hasChange ? [`Cookie: ${cookie}`] : [] };
}
