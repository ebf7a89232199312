import { readFile } from "node:fs/promises";
import path from "node:path";
import { textOf, writeWhole } from "./files.ts";
import { AGENT_UNIT, LAYOUT, SERVER_UNIT, SOCKET_UNIT, UNITS } from "./layout.ts";
import { mustRun, type Machine } from "./machine.ts";

export interface TrafficAddress {
  host: string;
  port: number;
}

/** The unit files of a tree: file name → text. Only the address of the traffic is filled in. */
export async function renderUnits(
  tree: string,
  { host, port }: TrafficAddress,
): Promise<Map<string, string>> {
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const read = async (name: string): Promise<[string, string]> => {
    const text = await readFile(path.join(tree, "deploy/systemd", name), "utf8");
    return [name, text.replace("@TRAFFIC@", address)];
  };
  return new Map(await Promise.all(UNITS.map(read)));
}

/** Whether systemd has exactly these units. */
export async function hasUnits(machine: Machine, units: Map<string, string>): Promise<boolean> {
  const texts = await Promise.all([...units].map(([name]) => textOf(machine, `${LAYOUT.units}/${name}`)));
  return [...units.values()].every((text, index) => text === texts[index]);
}

/** Gives systemd the units. A data plane that is to listen elsewhere has to let go of its address first. */
export async function writeUnits(machine: Machine, units: Map<string, string>): Promise<void> {
  const before = await textOf(machine, `${LAYOUT.units}/${SOCKET_UNIT}`);
  const isMoved = before !== null && before !== units.get(SOCKET_UNIT);
  for (const [name, text] of units)
    await writeWhole(machine, `${LAYOUT.units}/${name}`, { text, mode: 0o644 });
  if (isMoved) await machine.run(["systemctl", "stop", SOCKET_UNIT, AGENT_UNIT]);
  await mustRun(machine, ["systemctl", "daemon-reload"]);
}

/** Whether every unit runs, and will after a reboot. */
export async function areUnitsUp(machine: Machine): Promise<boolean> {
  for (const question of ["is-active", "is-enabled"]) {
    if ((await machine.run(["systemctl", question, "--quiet", ...UNITS])).exitCode !== 0) return false;
  }
  return true;
}

/** Starts everything, now and at every boot. */
export async function startUnits(machine: Machine): Promise<void> {
  await mustRun(machine, ["systemctl", "enable", "--now", ...UNITS]);
}

/** For this one stop the parent is told to end the services in order, and whatever is left is killed. */
const STOP_ALL = `[Service]
KillSignal=SIGTERM
KillMode=mixed
TimeoutStopSec=180s
`;

/** Stops everything, the services too, and takes the units away. */
export async function removeUnits(machine: Machine): Promise<void> {
  const directory = `${LAYOUT.units}/${AGENT_UNIT}.d`;
  await writeWhole(machine, `${directory}/stop-all.conf`, { text: STOP_ALL, mode: 0o644 });
  await machine.run(["systemctl", "daemon-reload"]);
  await machine.run(["systemctl", "disable", ...UNITS]);
  await machine.run(["systemctl", "stop", SOCKET_UNIT, AGENT_UNIT]);
  await machine.run(["systemctl", "stop", SERVER_UNIT]);
  const files = [LAYOUT.runtime, directory, ...UNITS.map((name) => `${LAYOUT.units}/${name}`)];
  await mustRun(machine, ["rm", "-rf", ...files.map((file) => machine.path(file))]);
  await machine.run(["systemctl", "daemon-reload"]);
  await machine.run(["systemctl", "reset-failed", ...UNITS]);
}
