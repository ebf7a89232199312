import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startHaproxyEngine, startUncounted } from "./haproxy-engine.ts";
import { startMainstay } from "./mainstay.ts";
import type { PeerSetting, RunningPeer } from "./peer.ts";
import { findFreePort } from "../../tests/support/free-port.ts";
import { startProcess, type StartedProcess } from "../../tests/support/started-process.ts";

const BODY = "x".repeat(1024);

/** One worker of nginx that answers every request with 1 KiB from memory. */
export async function startBackend(folder: string): Promise<StartedProcess & { port: number }> {
  const port = findFreePort();
  const server = `location / { return 200 "${BODY}"; }`;
  return { port, ...(await startNginx({ folder, name: "backend", port, server })) };
}

/** All of them, each on one core: one worker, one thread, or what the program does by itself. */
export const PEERS: ((setting: PeerSetting) => Promise<RunningPeer>)[] = [
  startHaproxy,
  startNginxProxy,
  startCaddy,
  (setting) => startMainstay(setting, { name: "Mainstay", hasChange: false }),
  (setting) => startMainstay(setting, { name: "Mainstay, two arms", hasChange: true }),
  (setting) => startUncounted(setting, { name: "Mainstay on HAProxy, not counted", hasChange: false }),
  (setting) => startHaproxyEngine(setting, { name: "Mainstay on HAProxy", hasChange: false }),
  (setting) => startHaproxyEngine(setting, { name: "Mainstay on HAProxy, two arms", hasChange: true }),
];

async function startHaproxy({ folder, backendPort }: PeerSetting): Promise<RunningPeer> {
  const port = findFreePort();
  const file = join(folder, "haproxy.cfg");
  const configuration = `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server one 127.0.0.1:${backendPort} pool-max-conn 100
`;
  await writeFile(file, configuration);
  return peer("HAProxy", port, await startProcess({ program: "haproxy", args: ["-db", "-f", file] }, port));
}

async function startNginxProxy({ folder, backendPort }: PeerSetting): Promise<RunningPeer> {
  const port = findFreePort();
  const server = `location / { proxy_pass http://out; proxy_http_version 1.1; proxy_set_header Connection ""; }`;
  const before = `upstream out { server 127.0.0.1:${backendPort}; keepalive 100; keepalive_requests 1000000000; }`;
  return peer("nginx", port, await startNginx({ folder, name: "proxy", port, server, before }));
}

async function startCaddy({ folder, backendPort }: PeerSetting): Promise<RunningPeer> {
  const port = findFreePort();
  const file = join(folder, "Caddyfile");
  const options = "{\n  admin off\n  auto_https off\n}\n";
  await writeFile(
    file,
    `${options}http://127.0.0.1:${port} {\n  reverse_proxy 127.0.0.1:${backendPort}\n}\n`,
  );
  const command = { program: "caddy", args: ["run", "--adapter", "caddyfile", "--config", file] };
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return peer("Caddy", port, await startProcess({ ...command, env }, port));
}

interface NginxOptions {
  folder: string;
  name: string;
  port: number;
  server: string;
  /** What stands before the server. */
  before?: string;
}

async function startNginx({
  folder,
  name,
  port,
  server,
  before = "",
}: NginxOptions): Promise<StartedProcess> {
  const file = join(folder, `nginx-${name}.conf`);
  const configuration = `
daemon off;
worker_processes 1;
error_log stderr error;
pid ${join(folder, `nginx-${name}.pid`)};
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder};`).join(" ")}
  ${before}
  server { listen 127.0.0.1:${port}; ${server} }
}
`;
  await writeFile(file, configuration);
  return startProcess({ program: "nginx", args: ["-p", folder, "-c", file] }, port);
}

function peer(name: string, port: number, started: StartedProcess): RunningPeer {
  return { ...started, name, url: `http://127.0.0.1:${port}/`, headers: [] };
}
