import { readFile } from "node:fs/promises";
import path from "node:path";
import { chooseDataDirectory, loadConfig } from "@mainstay/server";
import { Command, CommanderError } from "commander";
import { createApiClient } from "./api-client.ts";
import { EXIT, explain } from "./cli-error.ts";
import { addChange } from "./commands/change.ts";
import { addConfig } from "./commands/config.ts";
import { addDeploy } from "./commands/deploy.ts";
import { addPromotion } from "./commands/promote.ts";
import { addDaily } from "./commands/status.ts";
import { addUp } from "./commands/up.ts";
import type { Context } from "./context.ts";
import { addDemo } from "./demo/demo.ts";

const DEFAULT_URL = "http://127.0.0.1:7700";

interface GlobalOptions {
  json: boolean;
  url?: string;
  token?: string;
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
    .option("--json", "one JSON document instead of words", false)
    .option("--url <url>", `the server (also MAINSTAY_URL; default ${DEFAULT_URL})`)
    .option(
      "--token <key>",
      "the API key (also MAINSTAY_TOKEN; on the server's machine it is found by itself)",
    )
    .addHelpText(
      "after",
      "\nStart here:\n  mainstay up                    start the platform\n  mainstay deploy ./my-service   ship a service\n  mainstay status                see how it does\n\nExit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration, 3 server not reachable,\n4 not permitted, 5 timed out.",
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
  addChange(program, withContext);
  addConfig(program, withOwnContext);
  for (const command of [program, ...program.commands]) inheritSettings(command);
  return program;
}

/** Subcommands throw instead of exiting, and take `--json` and its like behind the command too. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) child.copyInheritedSettings(command);
}

async function connect(options: GlobalOptions): Promise<Context> {
  const url = (options.url ?? process.env["MAINSTAY_URL"] ?? (await localUrl())).replace(/\/$/, "");
  const token = options.token ?? process.env["MAINSTAY_TOKEN"] ?? (await localToken());
  return { ...offline(options), api: createApiClient({ url, token }) };
}

/** For commands that need no server, or start one of their own. */
function offline(options: GlobalOptions): Context {
  const isTerminal = process.stdout.isTTY && !options.json;
  let hasStatus = false;
  const clear = () => (hasStatus ? "\r\u001b[K" : "");
  return {
    api: createApiClient({ url: DEFAULT_URL, token: null }),
    isJson: options.json,
    isTerminal,
    nowMs: () => Date.now(),
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

/** On the server's own machine the configuration says where it listens … */
async function localUrl(): Promise<string> {
  const loaded = await localConfig();
  return loaded ? `http://${loaded.config.server.host}:${loaded.config.server.port}` : DEFAULT_URL;
}

/** … and where its key lies, for the account that may read it. */
async function localToken(): Promise<string | null> {
  const loaded = await localConfig();
  if (!loaded) return null;
  const { dataDirectory, database } = loaded.config;
  const isRoot = process.getuid?.() === 0;
  const kept =
    database.url === null ? chooseDataDirectory(dataDirectory, { isRoot }).directory : dataDirectory;
  const file = path.join(kept, "keys", "admin.key");
  return readFile(file, "utf8").then(
    (text) => text.trim(),
    () => null,
  );
}

async function localConfig() {
  return loadConfig({ env: process.env, cwd: process.cwd() }).catch(() => null);
}
