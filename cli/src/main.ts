import { fstatSync, readFileSync } from "node:fs";
import { text as readText } from "node:stream/consumers";
import { Command, CommanderError } from "commander";
import { createApiClient } from "./api-client.ts";
import { EXIT, explain } from "./cli-error.ts";
import { COMMANDS, type CommandModule, type Hands } from "./commands.ts";
import type { Context } from "./context.ts";
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
  process.stdout.on("error", endWhenUnread);
  try {
    const program = await createProgram(args);
    await program.parseAsync(args, { from: "user" });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const { text, exitCode } = explain(error);
    process.stderr.write(`${text}\n`);
    return exitCode;
  }
}

/** Whoever reads, as `head` does, has had enough: that is no failure. */
function endWhenUnread(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.done);
}

/** The command of a command line with its help; every command where that names none. */
async function createProgram(args: string[]): Promise<Command> {
  const program = new Command("mainstay")
    .description("The production layer for small teams: ship, watch, decide by evidence, undo.")
    .version(ownVersion(), "-V, --version", "which version this is")
    .option("--json", "one JSON document instead of words", false)
    .option("--url <url>", `the server (also MAINSTAY_URL; default ${NO_SERVER.url})`)
    .option("--remote <name>", 'a server of "mainstay remote list"; "local" is the one on this machine')
    .option("--token <key>", "an API key (also MAINSTAY_TOKEN), instead of the login that is stored")
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
  const hands: Hands = {
    server: [program, withContext],
    own: [program, withOwnContext],
    print: (text: string) => process.stdout.write(`${text}\n`),
    wholeProgram: () => createProgram([]),
  };
  for (const { add } of chosenBy(program, args)) await add(hands);
  for (const command of [program, ...program.commands]) inheritSettings(command);
  return program;
}

/**
 * The module of the first word that is no option of the program itself; all of them for help and mistakes.
 */
function chosenBy(program: Command, args: string[]): CommandModule[] {
  const [word = ""] = program.parseOptions(args).operands;
  const own = COMMANDS.filter(({ names }) => names.includes(word));
  return own.length > 0 ? own : COMMANDS;
}

function ownVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return String(JSON.parse(text).version);
}

/** Subcommands throw instead of exiting, and take `--json` and its like behind the command too. */
function inheritSettings(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inheritSettings(child);
  }
}

async function connect(options: GlobalOptions): Promise<Context> {
  const server = await chooseServer(options, process.env);
  // Who is asked to confirm, and how, is loaded when it comes to that.
  const stepUp = async () => (await import("./login/confirm.ts")).stepUpFor(server)();
  const api = createApiClient({ ...server, stepUp });
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
