import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { AGENT_UNIT, LAYOUT, UNITS } from "../install/layout.ts";
import { finding, type Finding } from "./finding.ts";
import type { Patient } from "./patient.ts";

/** For the group and the others. */
const OPEN = 0o077;
const READABLE_BY_ALL = 0o004;

/** Who may read what is secret: the keys, and a configuration that may hold the password of a database. */
export async function lookAtFiles({ dataDirectory, isInstalled }: Patient): Promise<Finding[]> {
  const keys = path.join(dataDirectory, "keys");
  const names = await readdir(keys).catch(() => []);
  const files = [keys, ...names.map((name) => path.join(keys, name))];
  const open = await withMode(files, OPEN);
  const keyFinding = finding(["files", "keys"], open.length > 0 ? "error" : "ok", {
    facts:
      open.length > 0 ? `open to others: ${open.join(", ")}` : `${names.length} in ${keys}, closed to others`,
    remedy: `chmod go= ${open.join(" ")}; then make new keys, as these may have been read.`,
  });
  if (!isInstalled) return [keyFinding];
  const isOpen = (await withMode([LAYOUT.configFile], READABLE_BY_ALL)).length > 0;
  return [
    keyFinding,
    finding(["files", "configuration"], isOpen ? "warning" : "ok", {
      facts: `${LAYOUT.configFile} is ${isOpen ? "readable by everybody" : "closed to others"}`,
      remedy: `chmod o= ${LAYOUT.configFile}`,
    }),
  ];
}

async function withMode(files: string[], bits: number): Promise<string[]> {
  const modes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ mode }) => mode,
        () => 0,
      ),
    ),
  );
  return files.filter((_, index) => ((modes[index] ?? 0) & bits) !== 0);
}

/** The units of an installation, and whether limits of services could be set in the agent's control group. */
export async function lookAtUnits({ machine, isInstalled }: Patient): Promise<Finding[]> {
  if (!isInstalled) return [];
  const states = await Promise.all(
    UNITS.map(async (unit): Promise<Finding> => {
      const ask = async (question: string) =>
        (await machine.run(["systemctl", question, unit])).stdout.trim() || "unknown";
      const [active, enabled] = [await ask("is-active"), await ask("is-enabled")];
      const restarts = (
        await machine.run(["systemctl", "show", "-p", "NRestarts", "--value", unit])
      ).stdout.trim();
      const status = active !== "active" ? "error" : enabled === "enabled" ? "ok" : "warning";
      return finding(["units", unit], status, {
        facts: `${active}, ${enabled}${restarts === "" ? "" : `, started again ${restarts} times`}`,
        remedy: `systemctl enable --now ${unit}; journalctl -u ${unit} -n 50`,
      });
    }),
  );
  return [...states, await lookAtControlGroup(machine)];
}

/** systemd gives the group of a unit with Delegate= to its account; limits of instances are set below it. */
async function lookAtControlGroup(machine: Patient["machine"]): Promise<Finding> {
  const { stdout } = await machine.run(["systemctl", "show", "-p", "ControlGroup", "--value", AGENT_UNIT]);
  const group = path.join("/sys/fs/cgroup", stdout.trim());
  const isOurs = await Promise.all([stat(path.join(group, "cgroup.procs")), stat(LAYOUT.data)]).then(
    ([one, other]) => stdout.trim() !== "" && one.uid === other.uid,
    () => false,
  );
  return finding(["units", "control group"], isOurs ? "ok" : "warning", {
    facts: isOurs ? `${group} may be written` : "the agent has no control group (v2) that it may write",
    remedy:
      "Boot with systemd.unified_cgroup_hierarchy=1; until then limits of memory and CPU cannot be set.",
  });
}
