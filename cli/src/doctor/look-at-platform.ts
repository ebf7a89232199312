import { connect } from "node:net";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { createAgentClient } from "@mainstay/agent";
import type { FieldError, ObservedState, PlatformConfig } from "@mainstay/api";
import { DATABASE_CHECK_ENTRY } from "@mainstay/server";
import { z } from "zod";
import { isReady } from "../install/ready.ts";
import { LAYOUT } from "../install/layout.ts";
import { finding, type Finding } from "./finding.ts";
import type { Patient } from "./patient.ts";

const CONNECT_TIMEOUT_MS = 2000;

/** Configuration, database, server, agent and what they run; each by itself, so that one may be down. */
export async function lookAtPlatform(patient: Patient): Promise<Finding[]> {
  const { loaded, findings, file } = patient.checked;
  const facts = findings.map((each: FieldError) => `${each.path}: ${each.message}`).join("; ");
  const remedy = "Correct it; docs/reference/configuration.md lists every key.";
  const configuration = finding(["configuration", "file"], loaded ? "ok" : "error", {
    facts: facts || (file ?? "no file: defaults and variables"),
    remedy,
  });
  if (loaded === null) return [configuration];
  const { config } = loaded;
  const observed = await observe(patient.runtimeDirectory);
  return [
    configuration,
    await lookAtDatabase(patient, config.database.url),
    await lookAtServer(patient, config.server),
    await lookAtTraffic(patient, config.proxy),
    lookAtAgent(patient, observed),
    lookForOrphans(patient, observed),
  ];
}

/** How to start it depends on who runs it. */
function startHint({ isInstalled }: Patient, unit: string): string {
  return isInstalled
    ? `systemctl restart ${unit}; journalctl -u ${unit} -n 50 says why it is not.`
    : "Start it with mainstay up; what it writes says why it is not.";
}

const databaseAnswer = z.object({ ok: z.boolean(), facts: z.string(), remedy: z.string().optional() });

async function lookAtDatabase({ machine, isInstalled }: Patient, url: string | null): Promise<Finding> {
  const at: [string, string] = ["database", "reachable"];
  if (url === null) {
    return finding(at, "ok", { facts: "embedded: the server starts it and says when it cannot", remedy: "" });
  }
  const isSwitched = isInstalled && process.getuid?.() === 0;
  const { stdout, stderr } = await machine.run([process.execPath, DATABASE_CHECK_ENTRY], {
    ...(isSwitched ? { as: LAYOUT.account } : {}),
    input: url,
  });
  const answer = databaseAnswer.safeParse(parseJson(stdout));
  if (!answer.success) return finding(at, "error", { facts: stderr.trim().slice(0, 200), remedy: "" });
  const { ok, facts, remedy = "" } = answer.data;
  return finding(at, ok ? "ok" : "error", { facts, remedy });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function lookAtServer(patient: Patient, server: PlatformConfig["server"]): Promise<Finding> {
  const isUp = await isReady(server);
  return finding(["server", "ready"], isUp ? "ok" : "error", {
    facts: `http://${server.host}:${server.port} ${isUp ? "is ready" : "does not say that it is ready"}`,
    remedy: startHint(patient, "mainstay-server"),
  });
}

async function lookAtTraffic(patient: Patient, { host, port }: PlatformConfig["proxy"]): Promise<Finding> {
  const isOpen = await isListening(host === "0.0.0.0" ? "127.0.0.1" : host, port);
  return finding(["data plane", "port"], isOpen ? "ok" : "error", {
    facts: `${host}:${port} ${isOpen ? "takes connections" : "is not listened on"}`,
    remedy: startHint(patient, "mainstay-agent"),
  });
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}

async function observe(runtimeDirectory: string): Promise<ObservedState | null> {
  const client = createAgentClient({ socketPath: path.join(runtimeDirectory, "agent.sock") });
  return client
    .observed()
    .catch(() => null)
    .finally(() => client.close());
}

function lookAtAgent(patient: Patient, observed: ObservedState | null): Finding {
  const at: [string, string] = ["agent", "answers"];
  const remedy = startHint(patient, "mainstay-agent");
  if (observed === null) {
    return finding(at, "error", { facts: `nothing answers in ${patient.runtimeDirectory}`, remedy });
  }
  const { instances, proxies, leaseExpired } = observed;
  const down = proxies.filter(({ pid }) => pid === null).length;
  const facts = [
    `${instances.length} instances, ${proxies.length} proxy workers`,
    ...(down > 0 ? [`${down} workers do not answer`] : []),
    ...(leaseExpired ? ["the server has been silent for longer than its lease"] : []),
  ].join(", ");
  return finding(at, down > 0 || leaseExpired ? "warning" : "ok", { facts, remedy });
}

/** Processes of this data directory that the agent does not know. */
function lookForOrphans({ dataDirectory }: Patient, observed: ObservedState | null): Finding {
  const known = new Set(observed?.instances.map(({ id }) => id));
  const orphans = listInstanceProcesses(dataDirectory).filter(({ instance }) => !known.has(instance));
  const pids = orphans.map(({ pid }) => pid).join(" ");
  return finding(["agent", "orphans"], orphans.length > 0 ? "warning" : "ok", {
    facts: orphans.length > 0 ? `processes of services without an agent: ${pids}` : "none",
    remedy:
      observed === null ? "The agent takes them up when it is back." : `Look at them, then: kill ${pids}`,
  });
}

/** Found by the mark in their environment and by the directory they work in. */
function listInstanceProcesses(dataDirectory: string): { pid: number; instance: string }[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    const environment = readProc(() => readFileSync(`/proc/${entry}/environ`, "utf8")).split("\0");
    const instance = environment.find((pair) => pair.startsWith("MAINSTAY_INSTANCE="))?.split("=")[1];
    const cwd = readProc(() => readlinkSync(`/proc/${entry}/cwd`));
    if (instance === undefined || !cwd.startsWith(`${dataDirectory}/`)) return [];
    return [{ pid: Number(entry), instance }];
  });
}

/** Empty when the process is gone or belongs to somebody else. */
function readProc(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
