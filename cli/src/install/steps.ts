import { chmod, mkdir, rm } from "node:fs/promises";
import { databaseStep, packageStep } from "./database-step.ts";
import { isLinked, isThere, pointLink, textOf, writeWhole } from "./files.ts";
import { readInstalledConfig, versionAt, writeConfig, type Wishes } from "./installation.ts";
import { LAYOUT } from "./layout.ts";
import { mustRun, type Machine } from "./machine.ts";
import type { Step } from "./plan.ts";
import { copyProgram } from "./program-files.ts";
import { areUnitsUp, hasUnits, removeUnits, renderUnits, startUnits, writeUnits } from "./units.ts";

const LAUNCHER = `#!/bin/sh
exec ${LAYOUT.current}/bin/node ${LAYOUT.current}/cli/bin/mainstay.js "$@"
`;

/** Everything an installation consists of, in the order it is made. */
export function installationSteps(machine: Machine, wishes: Wishes): Step[] {
  const isDebian = wishes.database.kind === "debian";
  return [
    ...(isDebian ? [packageStep(machine, "postgresql", "the database, kept up to date by Debian")] : []),
    ...(wishes.hasHaproxy ? [packageStep(machine, "haproxy", "asked for by --haproxy")] : []),
    accountStep(machine),
    programStep(machine, wishes),
    currentStep(machine, wishes),
    commandStep(machine),
    dataStep(machine),
    ...(isDebian ? [databaseStep(machine)] : []),
    configStep(machine, wishes),
    unitsStep(machine, wishes),
    runStep(machine),
  ];
}

function accountStep(machine: Machine): Step {
  const { account, data } = LAYOUT;
  return {
    id: "account",
    title: `account ${account}`,
    what: "a system account without a login; server, agent and services run as it",
    isDone: async () => (await machine.run(["getent", "passwd", account])).exitCode === 0,
    async do() {
      const options = ["--system", "--user-group", "--no-create-home", "--home-dir", data];
      await mustRun(machine, ["useradd", ...options, "--shell", "/usr/sbin/nologin", account]);
    },
    undo: async () => void (await mustRun(machine, ["userdel", account])),
  };
}

export function programStep(machine: Machine, { source, version }: Pick<Wishes, "source" | "version">): Step {
  const target = `${LAYOUT.programs}/${version}`;
  return {
    id: "program",
    title: `program ${version}`,
    what: `${target}, with a Node of its own; owned by root`,
    isDone: () => isThere(machine, target),
    async do() {
      await mkdir(machine.path(LAYOUT.programs), { recursive: true, mode: 0o755 });
      await copyProgram(source, machine.path(target));
    },
    undo: () => rm(machine.path(target), { recursive: true, force: true }),
  };
}

/** An installation that is there keeps its version: that is what `mainstay upgrade` is for. */
function currentStep(machine: Machine, { version }: Wishes): Step {
  return {
    id: "current",
    title: "current version",
    what: `${LAYOUT.current} leads to ${version}; the units and the command go through it`,
    isDone: () => isLinked(machine, LAYOUT.current, version),
    do: () => pointLink(machine, LAYOUT.current, version),
    undo: () => rm(machine.path(LAYOUT.programs), { recursive: true, force: true }),
  };
}

function commandStep(machine: Machine): Step {
  return {
    id: "command",
    title: "the command mainstay",
    what: `${LAYOUT.command}, for everybody on this machine`,
    isDone: async () => (await textOf(machine, LAYOUT.command)) === LAUNCHER,
    do: () => writeWhole(machine, LAYOUT.command, { text: LAUNCHER, mode: 0o755 }),
    undo: () => rm(machine.path(LAYOUT.command), { force: true }),
  };
}

function dataStep(machine: Machine): Step {
  const { account, data } = LAYOUT;
  return {
    id: "data",
    title: "data directory",
    what: `${data}, for the account ${account}`,
    isDone: () => isThere(machine, data),
    async do() {
      await mkdir(machine.path(data), { recursive: true });
      await machine.chown(data, `${account}:${account}`);
      await chmod(machine.path(data), 0o755);
    },
    undo: () => rm(machine.path(data), { recursive: true, force: true }),
  };
}

function configStep(machine: Machine, wishes: Wishes): Step {
  const { account, configFile, configuration } = LAYOUT;
  return {
    id: "configuration",
    title: "configuration",
    what: `${configFile}, readable by root and ${account} alone`,
    isDone: () => isThere(machine, configFile),
    do: () =>
      writeWhole(machine, configFile, { text: writeConfig(wishes), mode: 0o640, owner: `root:${account}` }),
    undo: () => rm(machine.path(configuration), { recursive: true, force: true }),
  };
}

function unitsStep(machine: Machine, wishes: Wishes): Step {
  const units = async () => {
    const config = await readInstalledConfig(machine);
    const address = config?.proxy ?? { host: "0.0.0.0", port: wishes.trafficPort };
    const version = await versionAt(machine, LAYOUT.current);
    const tree = version === null ? wishes.source : machine.path(`${LAYOUT.programs}/${version}`);
    return renderUnits(tree, address);
  };
  return {
    id: "units",
    title: "systemd units",
    what: "mainstay-agent.socket, mainstay-agent.service and mainstay-server.service, sandboxed",
    isDone: async () => hasUnits(machine, await units()),
    do: async () => writeUnits(machine, await units()),
    undo: () => removeUnits(machine),
  };
}

function runStep(machine: Machine): Step {
  return {
    id: "run",
    title: "started",
    what: "the three units run now and after every boot",
    isDone: () => areUnitsUp(machine),
    do: () => startUnits(machine),
  };
}
