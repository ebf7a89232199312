import { readlink, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { createAgentClient, trustedKeysFile } from "@mainstay/agent";
import { runtimePathFor } from "@mainstay/server";
import { isThere, pointLink } from "./files.ts";
import { readInstalledConfig, versionAt } from "./installation.ts";
import { AGENT_UNIT, LAYOUT, SERVER_UNIT } from "./layout.ts";
import { mustRun, type Machine } from "./machine.ts";
import { isReady, waitUntil } from "./ready.ts";
import { renderUnits, writeUnits } from "./units.ts";

const HEALTHY_TIMEOUT_MS = 90_000;
/** A program that ended as often as this since it was started will not become well. */
const HOPELESS_RESTARTS = 3;

/** Two versions of an installation: what runs, and what is to run. */
export interface Switch {
  from: string;
  to: string;
}

/**
 * Lets another version run, the server first, then agent and data plane; each has to be well before
 * it goes on. What is not becomes what it was, and the error says why. The services go on meanwhile.
 */
export async function switchVersion(
  machine: Machine,
  { from, to }: Switch,
  tell: (line: string) => void,
): Promise<void> {
  try {
    await run(machine, to, tell);
  } catch (error) {
    tell(`failed  ${error instanceof Error ? error.message : String(error)}; going back to ${from}`);
    await run(machine, from, tell);
    throw error;
  }
  await pointLink(machine, LAYOUT.previous, from);
}

async function run(machine: Machine, version: string, tell: (line: string) => void): Promise<void> {
  const config = await readInstalledConfig(machine);
  if (config === null) throw new Error(`${LAYOUT.configFile} is gone`);
  await pointLink(machine, LAYOUT.current, version);
  await writeUnits(machine, await renderUnits(machine.path(`${LAYOUT.programs}/${version}`), config.proxy));
  // A server that signs its calls writes it anew; one that does not yet could not reach the agent otherwise.
  await rm(trustedKeysFile(config.dataDirectory), { force: true });
  await restart(machine, { unit: SERVER_UNIT, version, isWell: () => isReady(config.server) });
  tell(`done  server ${version} is ready`);
  const isWell = () => isAgentWell(config.dataDirectory);
  await restart(machine, { unit: AGENT_UNIT, version, isWell });
  tell(`done  agent and data plane ${version} serve`);
}

interface Restarted {
  unit: string;
  version: string;
  isWell: () => Promise<boolean>;
}

async function restart(machine: Machine, { unit, version, isWell }: Restarted): Promise<void> {
  await mustRun(machine, ["systemctl", "restart", unit]);
  const ask = async (property: string) =>
    (await mustRun(machine, ["systemctl", "show", "-p", property, "--value", unit])).trim();
  let restarts = 0;
  const isSettled = async () => {
    restarts = Number(await ask("NRestarts"));
    if (restarts >= HOPELESS_RESTARTS) return true;
    return (await versionOfProcess(await ask("MainPID"))) === version && (await isWell());
  };
  const settled = await waitUntil(isSettled, HEALTHY_TIMEOUT_MS);
  if (restarts >= HOPELESS_RESTARTS) throw new Error(`${unit} of version ${version} ended ${restarts} times`);
  if (!settled) throw new Error(`${unit} of version ${version} is not well in time`);
}

/** By the program it runs; null when there is no such process. */
async function versionOfProcess(pid: string): Promise<string | null> {
  const program = await readlink(`/proc/${pid}/exe`).catch(() => null);
  return program === null ? null : (path.relative(LAYOUT.programs, program).split("/")[0] ?? null);
}

/** It answers, and so does each of its workers. */
async function isAgentWell(dataDirectory: string): Promise<boolean> {
  const { uid } = await stat(dataDirectory);
  const env = { XDG_RUNTIME_DIR: LAYOUT.runtime };
  const directory = await runtimePathFor({ dataDirectory, env, uid });
  const client = createAgentClient({ socketPath: path.join(directory, "agent.sock") });
  const observed = await client
    .observed()
    .catch(() => null)
    .finally(() => client.close());
  return observed !== null && observed.proxies.every(({ pid }) => pid !== null);
}

/** Versions that neither run nor could be gone back to. */
export async function removeOldVersions(machine: Machine): Promise<void> {
  const kept = [await versionAt(machine, LAYOUT.current), await versionAt(machine, LAYOUT.previous)];
  const entries = await readdir(machine.path(LAYOUT.programs), { withFileTypes: true });
  const old = entries.filter((entry) => entry.isDirectory() && !kept.includes(entry.name));
  for (const { name } of old) {
    await rm(machine.path(`${LAYOUT.programs}/${name}`), { recursive: true, force: true });
  }
}

/** The version before the one that runs, if its program is still there. */
export async function previousVersion(machine: Machine): Promise<string | null> {
  const version = await versionAt(machine, LAYOUT.previous);
  return version !== null && (await isThere(machine, `${LAYOUT.programs}/${version}`)) ? version : null;
}
