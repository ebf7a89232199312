import { fstatSync, readFileSync } from "node:fs";
import { text as readText } from "node:stream/consumers";
import { Command, CommanderError } from "commander";
import { z } from "zod";
import { createApiClient } from "./api-client.ts";
import { EXIT, explain } from "./cli-error.ts";
import { addAccount } from "./commands/account.ts";
import { addAgentEnvironment } from "./commands/agent-environment.ts";
import { addBreakGlass } from "./commands/break-glass.ts";
import { addBuilds } from "./commands/builds.ts";
import { addCertificates } from "./commands/certificates.ts";
import { addChange } from "./commands/change.ts";
import { addChannels } from "./commands/channels.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConfig } from "./commands/config.ts";
import { addDeploy } from "./commands/deploy.ts";
import { addDigest } from "./commands/digest.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addInit } from "./commands/init.ts";
import { addInstall } from "./commands/install.ts";
import { addLogin } from "./commands/login.ts";
import { addLogs } from "./commands/logs.ts";
import { addMaintenance } from "./commands/maintenance.ts";
import { addPromotion } from "./commands/promote.ts";
import { addReleases } from "./commands/releases.ts";
import { addRemote } from "./commands/remote.ts";
import { addRun } from "./commands/run.ts";
import { addScale } from "./commands/scale.ts";
import { addSettings } from "./commands/settings.ts";
import { addSetup } from "./commands/setup.ts";
import { addSimulate } from "./commands/simulate.ts";
import { addDaily } from "./commands/status.ts";
import { addUp } from "./commands/up.ts";
import { addUpgrade } from "./commands/upgrade.ts";
import { addUsers } from "./commands/users.ts";
import type { Context } from "./context.ts";
import { addDemo } from "./demo/demo.ts";
import { stepUpFor } from "./login/confirm.ts";
import { chooseServer } from "./server-choice.ts";

/** What a command that asks no server has in its place. */
const NO_SERVER = { url: "http://127.0.0.1:7700", token: null, remote: null, isHere: true };

interface GlobalOptions {
  json: boolean;
  url?: string;
  token?: string;
  remote?: string;
}

/** Runs one command line; answers the exit code. */
export async function main(args: string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { text, exitCode } = explain(error);
    process.stderr.write(`${text}\n`);
    return exitCode;
  }
}

/** Every command with its help. */
function createProgram(): Command {
  const program = new Command("mainstay")
    .description("The production layer for small teams: ship, watch, decide by evidence, undo.")
    .version(ownVersion(), "-V, --version", "which version this is")
    .option("--json", "one JSON document instead of words", false)
    .option("--url <url>", `the server (also MAINSTAY_URL; default ${NO_SERVER.url})`)
    .option("--remote <name>", 'a server of "mainstay remote list"; "local" is the one on this machine')
    .option(
      "--token <key>",
      "an API key (also MAINSTAY_TOKEN), instead of the login that is stored",
    )
    .addHelpText(
      "after",
      "\nStart here:\n  mainstay up                    start the platform\n  mainstay setup                 become its first administrator\n  mainstay deploy ./my-service   ship a service\n  mainstay status                see how it does\n\nExit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration, 3 server not reachable,\n4 not permitted, 5 timed out.",
    )
    .showHelpAfterError("(--help shows the options)")
    .exitOverride();
  const withContext = async (run: (context: Context) => Promise<void>) =>
    run(await connect(program.opts<GlobalOptions>()));
  const withOwnContext = async (run: (context: Context) => Promise<void>) =>
    run(offline(program.opts<GlobalOptions>()));
  addUp(program, (text) => process.stdout.write(`${text}\n`));
  addDemo(program, withOwnContext);
  addDeploy(program, withContext);
  addPromotion(program, withContext);
  addDaily(program, withContext);
  addLogs(program, withContext);
  addScale(program, withContext);
  addSettings(program, withContext);
  addRun(program, withContext);
  addReleases(program, withContext);
  addBuilds(program, withContext);
  addChange(program, withContext);
  addMaintenance(program, withContext);
  addCertificates(program, withContext);
  addChannels(program, withContext);
  addBreakGlass(program, withOwnContext);
  addSetup(program, withContext);
  addLogin(program, withContext);
  addAccount(program, withContext);
  addUsers(program, withContext);
  addConfig(program, withOwnContext);
  addRemote(program, withOwnContext);
  addDigest(program, withOwnContext);
  addInit(program, withOwnContext);
  addSimulate(program, withOwnContext);
  addInstall(program, withOwnContext);
  addUpgrade(program, withOwnContext);
  addDoctor(program, withOwnContext);
  addAgentEnvironment(program);
  addCompletion(program, withContext);
  for (const command of [program, ...program.commands]) inheritSettings(command);
  return program;
}

function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}

/** Subcommands throw instead of exiting, and take `--json` and its like behind the command too. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) child.copyInheritedSettings(command);
}

async function connect(options: GlobalOptions): Promise<Context> {
  const server = await chooseServer(options, process.env);
  const api = createApiClient({ ...server, stepUp: stepUpFor(server) });
  return { ...offline(options), server, api };
}

/** For commands that need no server, or start one of their own. */
function offline(options: GlobalOptions): Context {
  const isTerminal = process.stdout.isTTY && !options.json;
  let hasStatus = false;
  const clear = () => (hasStatus ? "\r\u001b[K" : "");
  return {
    api: createApiClient(NO_SERVER),
    server: NO_SERVER,
    isJson: options.json,
    isTerminal,
    nowMs: () => Date.now(),
    input: () => readText(process.stdin),
    inputBytes: () => process.stdin,
    isPiped: isInputPiped,
    print(text) {
      process.stdout.write(`${clear()}${text}\n`);
      hasStatus = false;
    },
    status(text) {
      if (!isTerminal) return;
      const width = (process.stdout.columns ?? 80) - 1;
      process.stdout.write(clear() + text.slice(0, width));
      hasStatus = text !== "";
    },
  };
}

/** A socket is no pipe: programs that start others leave one open without ever meaning it. */
function isInputPiped(): boolean {
  try {
    const facts = fstatSync(0);
    return facts.isFIFO() || facts.isFile();
  } catch {
    // It was closed by whoever started this.
    return false;
  }
}
