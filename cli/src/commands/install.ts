import { createInterface } from "node:readline/promises";
import { readFile } from "node:fs/promises";
import type { PlatformConfig } from "@mainstay/api";
import { readKeyFile, usualKeyFile } from "@mainstay/server";
import { formatKey } from "@mainstay/vault";
import { InvalidArgumentError, Option, type Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { firewallHints } from "../install/firewall.ts";
import { readInstalledConfig, type Wishes } from "../install/installation.ts";
import { LAYOUT } from "../install/layout.ts";
import { createThisMachine, type Machine } from "../install/machine.ts";
import { findObstacles } from "../install/obstacles.ts";
import { carryOut, lookAt, type PlannedStep } from "../install/plan.ts";
import { RUNNING_TREE, versionOf } from "../install/program-files.ts";
import { isReady, waitUntil } from "../install/ready.ts";
import { installationSteps } from "../install/steps.ts";

const READY_TIMEOUT_MS = 120_000;

interface InstallOptions {
  check: boolean;
  yes: boolean;
  port: number;
  database?: "debian" | "embedded";
  haproxy: boolean;
}

export type WithOwnContext = (run: (context: Context) => Promise<void>) => Promise<void>;

/** `mainstay install`: makes this Debian server one that runs Mainstay, by a plan that is shown first. */
export function addInstall(program: Command, withOwnContext: WithOwnContext): void {
  program
    .command("install")
    .description("Install the platform on this server: account, program, PostgreSQL, systemd units")
    .option("--check", "show the plan and what speaks against it; alter nothing", false)
    .option("--yes", "do it without asking", false)
    .option("--port <number>", "of the services' traffic", portOption, 80)
    .addOption(
      new Option(
        "--database <which>",
        "Debian's PostgreSQL or the one Mainstay brings; DATABASE_URL instead names your own",
      ).choices(["debian", "embedded"]),
    )
    .option("--haproxy", "install Debian's HAProxy too", false)
    .addHelpText(
      "after",
      "\nDone again, it does only what is missing. A configuration that is there is kept.\n\nExamples:\n  mainstay install --check\n  mainstay install --yes\n  DATABASE_URL=postgres://… mainstay install --port 8080",
    )
    .action((options: InstallOptions) => withOwnContext((context) => install(context, options)));
}

async function install(context: Context, options: InstallOptions): Promise<void> {
  const machine = createThisMachine();
  const wishes = await readWishes(options);
  const obstacles = await findObstacles(machine, wishes);
  const steps = installationSteps(machine, wishes);
  const plan = await lookAt(steps);
  const hints = await firewallHints(machine, wishes.trafficPort);
  if (options.check) {
    showPlan(context, { plan, obstacles, hints });
    refuseObstacles(obstacles);
    return;
  }
  if (!context.isJson) showPlan(context, { plan, obstacles, hints });
  refuseObstacles(obstacles);
  mustBeRoot();
  const isNew = plan.some(({ isDone }) => !isDone);
  if (isNew && !options.yes) await confirm(context, "Do this?");
  await carryOut(steps, (line) => tell(context, line));
  await tellResult(context, machine, plan);
}

async function readWishes({ port, database, haproxy }: InstallOptions): Promise<Wishes> {
  const url = process.env["DATABASE_URL"] ?? "";
  if (url !== "" && database !== undefined) {
    throw new CliError("both DATABASE_URL and --database say which database", EXIT.usage, "Leave one out.");
  }
  return {
    source: RUNNING_TREE,
    version: await versionOf(RUNNING_TREE),
    trafficPort: port,
    database: url === "" ? { kind: database ?? "debian" } : { kind: "url", url },
    hasHaproxy: haproxy,
  };
}

interface ShownPlan {
  plan: PlannedStep[];
  obstacles: string[];
  hints: string[];
}

function showPlan(context: Context, { plan, obstacles, hints }: ShownPlan): void {
  const steps = plan.map(({ step: { id, title, what }, isDone }) => ({ id, title, what, isDone }));
  if (context.isJson) return context.print(JSON.stringify({ steps, obstacles, hints }, null, 2));
  for (const { title, what, isDone } of steps) {
    context.print(`${isDone ? "  already so" : "  to do     "}  ${title}`);
    if (!isDone) context.print(`              ${what}`);
  }
  for (const hint of hints) context.print(`  firewall    ${hint}`);
  for (const obstacle of obstacles) context.print(`  in the way  ${obstacle}`);
}

function refuseObstacles(obstacles: string[]): void {
  if (obstacles.length === 0) return;
  throw new CliError(`this cannot be installed here: ${obstacles.join("; ")}`, EXIT.failed);
}

/** Steps alter what belongs to root. */
export function mustBeRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new CliError("this needs root", EXIT.denied, "Use sudo; --check shows the plan without it.");
}

/** Asks a person; where there is none, says which flag answers instead. */
export async function confirm(context: Context, question: string, expected = "yes"): Promise<void> {
  if (!context.isTerminal || !process.stdin.isTTY) {
    throw new CliError("nobody is here to be asked", EXIT.usage, "Say --yes.");
  }
  const asked = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asked.question(`${question} (${expected}) `);
  asked.close();
  if (answer.trim() !== expected) throw new CliError("nothing was altered", EXIT.failed);
}

/** Progress belongs to people: with --json it goes to standard error. */
export function tell(context: Context, line: string): void {
  if (context.isJson) process.stderr.write(`${line}\n`);
  else context.print(line);
}

async function readSetupLink(dataDirectory: string): Promise<string> {
  return (await readFile(`${dataDirectory}/keys/setup.link`, "utf8")).trim();
}

async function tellResult(context: Context, machine: Machine, plan: PlannedStep[]): Promise<void> {
  const config = await readInstalledConfig(machine);
  if (config === null) throw new CliError(`${LAYOUT.configFile} is gone`, EXIT.failed);
  context.status("waiting until the server is ready …");
  if (!(await waitUntil(() => isReady(config.server), READY_TIMEOUT_MS))) {
    const remedy = "journalctl -u mainstay-server -n 50, and mainstay doctor, say why.";
    throw new CliError("installed, but the server does not become ready", EXIT.timedOut, remedy);
  }
  context.status("");
  // Only when this run made the data directory is there nobody yet.
  const isFirst = plan.some(({ step, isDone }) => step.id === "data" && !isDone);
  const setupLink = isFirst ? await readSetupLink(config.dataDirectory) : null;
  const recoveryKey = isFirst ? await recoveryKeyOf(config) : null;
  const url = `http://${config.server.host}:${config.server.port}`;
  const traffic = `http://${config.proxy.host}:${config.proxy.port}`;
  if (context.isJson) return context.print(JSON.stringify({ url, traffic, setupLink, recoveryKey }, null, 2));
  context.print(`\nReady.  API and console  ${url}\n        traffic          ${traffic}`);
  if (setupLink !== null)
    context.print(`\nNobody can log in yet; this link makes the first administrator:\n${setupLink}`);
  if (recoveryKey !== null)
    context.print(
      `The recovery key, without which lost secrets stay lost; keep it elsewhere: ${recoveryKey}`,
    );
  context.print("\nNext: mainstay setup, mainstay doctor, then mainstay deploy ./my-service");
}

/** What the server made at its first start; null where the key comes from somewhere else. */
async function recoveryKeyOf({ secrets, dataDirectory }: PlatformConfig): Promise<string | null> {
  const [key] = await readKeyFile(secrets.keyFile ?? usualKeyFile(dataDirectory));
  return key === undefined ? null : formatKey(key);
}

function portOption(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError("Expected a port.");
  return port;
}
