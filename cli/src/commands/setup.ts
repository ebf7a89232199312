import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { EnteredResource, LinkResource } from "@mainstay/api";
import type { Command } from "commander";
import { createApiClient } from "../api-client.ts";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { keepLogin } from "../login/stored-login.ts";
import { askLine } from "../prompts.ts";
import { createSecretLines } from "../secret-lines.ts";
import { localDataDirectory } from "../server-choice.ts";
import type { WithContext } from "./deploy.ts";
import { tellEntered } from "./login.ts";

interface SetupOptions {
  link?: string;
  email?: string;
  name?: string;
  keyFile?: string;
}

/** `mainstay setup`: what a one-time link is for, on the command line. */
export function addSetup(program: Command, withContext: WithContext): void {
  program
    .command("setup")
    .description("Become the first administrator, accept an invitation, or begin anew, with a one-time link")
    .option("--link <link>", "the link you were given; on the server's machine the first one is found by itself")
    .option("--email <address>", "of the first administrator, instead of being asked")
    .option("--name <name>", "instead of being asked")
    .option("--key-file <path>", "of a first setup: write an API key there that may do everything, for programs")
    .addHelpText(
      "after",
      "\nThe password is asked for, or read from standard input; it never stands on a command line.\n\nExamples:\n  mainstay setup\n  mainstay setup --link https://deploy.example.com/setup#ml_…\n  pass show mainstay | mainstay setup --email ann@example.com --name Ann --key-file ci.key",
    )
    .action((options: SetupOptions) => withContext((context) => setUp(context, options)));
}

async function setUp(context: Context, options: SetupOptions): Promise<void> {
  const link = options.link ?? (await localLink());
  const url = URL.parse(link)?.origin ?? context.server.url;
  const server = options.link === undefined ? context.server : { ...context.server, url };
  const here: Context = { ...context, server, api: createApiClient({ url: server.url, token: null }) };
  const token = link.split("#").at(-1) ?? "";
  const about = await here.api.post<LinkResource>("/links/look", { link: token });
  const email = about.email ?? options.email ?? (await demandLine("E-mail address", "--email"));
  const name = options.name ?? about.name ?? (await demandLine("Your name", "--name"));
  const password = await createSecretLines().secret(`A password for ${email}: `);
  const wantsKey = options.keyFile !== undefined && about.kind === "setup";
  const redeeming = { link: token, name, password, wantsKey, transport: "bearer" };
  const entered = await here.api.post<EnteredResource>("/links/redeem", {
    ...redeeming,
    ...(about.email === null ? { email } : {}),
  });
  if (options.keyFile !== undefined && entered.key !== null)
    await writeFile(options.keyFile, `${entered.key}\n`, { mode: 0o600, flag: "wx" });
  await keepLogin(here, entered);
  tellEntered(here, entered);
}

async function demandLine(question: string, flag: string): Promise<string> {
  const answer = await askLine(question, null);
  if (answer !== null) return answer;
  throw new CliError(`nobody is here to be asked: ${question}`, EXIT.usage, `Say ${flag}.`);
}

/** The link that the server wrote for the first administrator. */
async function localLink(): Promise<string> {
  const directory = await localDataDirectory();
  const file = path.join(directory ?? "data", "keys", "setup.link");
  return readFile(file, "utf8").then(
    (text) => text.trim(),
    (error: NodeJS.ErrnoException) => {
      const remedy = "Give the link you were sent with --link; if somebody is set up already: mainstay login.";
      throw new CliError(`there is no link in ${file} (${error.code ?? error.message})`, EXIT.usage, remedy);
    },
  );
}
