import { existsSync, statSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { versionAt } from "../install/installation.ts";
import { LAYOUT } from "../install/layout.ts";
import { createThisMachine, mustRun, type Machine } from "../install/machine.ts";
import { lookAt, takeBack, type Step } from "../install/plan.ts";
import { RUNNING_TREE, versionOf } from "../install/program-files.ts";
import { installationSteps, programStep } from "../install/steps.ts";
import { previousVersion, removeOldVersions, switchVersion } from "../install/switch-version.ts";
import { confirm, mustBeRoot, tell, type WithOwnContext } from "./install.ts";

interface UpgradeOptions {
  from?: string;
  back: boolean;
  check: boolean;
  yes: boolean;
}

interface UninstallOptions {
  purge: boolean;
  confirm?: string;
  check: boolean;
  yes: boolean;
}

/** What belongs to the users rather than to the program: only --purge takes it away. */
const KEPT = ["data", "database", "account", "configuration"];

/** `mainstay upgrade` and `mainstay uninstall`: for what `mainstay install` made. */
export function addUpgrade(program: Command, withOwnContext: WithOwnContext): void {
  program
    .command("upgrade")
    .description("Run another version of an installation, or go back; the services are served meanwhile")
    .option(
      "--from <path>",
      "a newer Mainstay, directory or .tar.gz (default: the one that runs this command)",
    )
    .option("--back", "to the version before", false)
    .option("--check", "show the plan; alter nothing", false)
    .option("--yes", "do it without asking", false)
    .addHelpText(
      "after",
      "\nWhat does not become well goes back by itself.\n\nExamples:\n  mainstay upgrade --from ./mainstay-1.4.0.tar.gz\n  mainstay upgrade --back",
    )
    .action((options: UpgradeOptions) => withOwnContext((context) => upgrade(context, options)));
  program
    .command("uninstall")
    .description("Take the installation away; data, database and configuration stay without --purge")
    .option("--purge", "the data too: releases, history, keys; asks for the name of this machine", false)
    .option("--confirm <name>", "the name of this machine, instead of being asked for it")
    .option("--check", "show the plan; alter nothing", false)
    .option("--yes", "do it without asking", false)
    .addHelpText(
      "after",
      "\nThe services stop. Debian's packages stay.\n\nExample:\n  mainstay uninstall --check",
    )
    .action((options: UninstallOptions) => withOwnContext((context) => uninstall(context, options)));
}

async function upgrade(context: Context, options: UpgradeOptions): Promise<void> {
  const machine = createThisMachine();
  const from = await versionAt(machine, LAYOUT.current);
  if (from === null) throw new CliError("nothing is installed here", EXIT.failed, "mainstay install");
  if (options.back) return goBack(context, { machine, from }, options);
  const { tree, remove } = await openTree(machine, options.from ?? RUNNING_TREE);
  try {
    const to = await versionOf(tree);
    refuseOlder(from, to);
    const program = programStep(machine, { source: tree, version: to });
    await announce(context, { from, to }, options);
    if (options.check) return;
    if (!(await program.isDone())) await program.do();
    tell(context, `done  ${program.title}`);
    await switchVersion(machine, { from, to }, (line) => tell(context, line));
    await removeOldVersions(machine);
    report(context, { from, to });
  } finally {
    await remove();
  }
}

async function goBack(
  context: Context,
  { machine, from }: { machine: Machine; from: string },
  options: UpgradeOptions,
): Promise<void> {
  const to = await previousVersion(machine);
  if (to === null) throw new CliError(`there is no version before ${from} here`, EXIT.failed);
  await announce(context, { from, to }, options);
  if (options.check) return;
  await switchVersion(machine, { from, to }, (line) => tell(context, line));
  report(context, { from, to });
}

async function announce(
  context: Context,
  { from, to }: { from: string; to: string },
  { check, yes }: { check: boolean; yes: boolean },
): Promise<void> {
  const steps = [
    `${LAYOUT.programs}/${to} beside ${LAYOUT.programs}/${from}`,
    `the server restarts as ${to} and brings the database forward`,
    `agent and data plane restart as ${to}; instances run on, the old workers serve until the new ones do`,
    `if one of them is not well, ${from} runs again`,
  ];
  if (context.isJson && check) context.print(JSON.stringify({ from, to, steps }, null, 2));
  else for (const step of steps) tell(context, `  to do       ${step}`);
  if (check) return;
  mustBeRoot();
  if (!yes) await confirm(context, `From ${from} to ${to}?`);
}

function report(context: Context, { from, to }: { from: string; to: string }): void {
  if (context.isJson) context.print(JSON.stringify({ from, to }, null, 2));
  else context.print(`\nVersion ${to} runs. Back to ${from}: mainstay upgrade --back`);
}

/** A directory as it is, an archive unpacked; the tree of an archive may lie in one folder of it. */
async function openTree(
  machine: Machine,
  source: string,
): Promise<{ tree: string; remove: () => Promise<void> }> {
  const at = path.resolve(source);
  if (!existsSync(at)) throw new CliError(`${source} does not exist`, EXIT.usage);
  if (statSync(at).isDirectory()) return { tree: at, remove: async () => {} };
  const unpacked = await mkdtemp(path.join(tmpdir(), "mainstay-upgrade-"));
  const remove = () => rm(unpacked, { recursive: true, force: true });
  try {
    await mustRun(machine, ["tar", "--no-same-owner", "-xzf", at, "-C", unpacked]);
    const isBare = existsSync(path.join(unpacked, "package.json"));
    const [folder = ""] = isBare ? [] : await readdir(unpacked);
    return { tree: path.join(unpacked, folder), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function refuseOlder(from: string, to: string): void {
  const order = to.localeCompare(from, "en", { numeric: true });
  if (order > 0) return;
  const remedy = order === 0 ? "mainstay doctor says how it does." : "mainstay upgrade --back";
  const message = order === 0 ? `version ${from} runs already` : `${to} is older than ${from}`;
  throw new CliError(message, EXIT.failed, remedy);
}

async function uninstall(context: Context, options: UninstallOptions): Promise<void> {
  const machine = createThisMachine();
  const steps = await removalSteps(machine, options.purge);
  const titles = steps.map(({ title }) => title);
  if (context.isJson && options.check) return context.print(JSON.stringify({ removes: titles }, null, 2));
  for (const title of titles) tell(context, `  take away   ${title}`);
  if (!options.purge) tell(context, `  keep        ${LAYOUT.data}, ${LAYOUT.configuration}, the database`);
  if (options.check) return;
  mustBeRoot();
  if (options.purge) await confirmPurge(context, options.confirm);
  else if (!options.yes) await confirm(context, "The services stop. Do this?");
  const failed = await takeBack(steps, (line) => tell(context, line));
  if (failed > 0) throw new CliError(`${failed} steps could not be taken back`, EXIT.failed);
  if (context.isJson) context.print(JSON.stringify({ removed: titles }, null, 2));
}

async function confirmPurge(context: Context, given: string | undefined): Promise<void> {
  const name = hostname();
  if (given === undefined) return confirm(context, "All data will be gone. The name of this machine?", name);
  if (given !== name) throw new CliError(`this machine is ${name}, not ${given}`, EXIT.usage);
}

/** The steps of the installation backwards, as far as they can and shall be taken back. */
async function removalSteps(machine: Machine, isPurged: boolean): Promise<Step[]> {
  const version = await versionAt(machine, LAYOUT.current);
  const steps = installationSteps(machine, {
    source: RUNNING_TREE,
    version: version ?? (await versionOf(RUNNING_TREE)),
    trafficPort: 80,
    database: { kind: "debian" },
    hasHaproxy: false,
  });
  // Units and command may be there in another form; both can be taken away without being there.
  const present = (await lookAt(steps))
    .filter(({ step, isDone }) => isDone || step.id === "units" || step.id === "command")
    .map(({ step }) => step);
  return present.toReversed().filter(({ id, undo }) => undo && (isPurged || !KEPT.includes(id)));
}
