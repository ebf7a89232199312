import type { PlatformResource } from "@mainstay/api";
import type { Command } from "commander";
import { createApiClient } from "../api-client.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";
import { readSecret } from "../prompts.ts";
import { checkRemoteName, LOCAL, readRemotes, remoteNamed, remotesPath, writeRemotes } from "../remotes.ts";
import { isLoopback, withoutSlash } from "../server-choice.ts";
import type { WithContext } from "./deploy.ts";

const CHECK_PATIENCE_MS = 2_000;

/** `mainstay remote …`: servers elsewhere, and the keys to them. */
export function addRemote(program: Command, withContext: WithContext): void {
  const remote = program
    .command("remote")
    .description("Servers elsewhere: stored with their keys in ~/.config/mainstay, for this account alone");
  remote
    .command("add")
    .argument("<name>", "what to call it")
    .argument("<url>", "where it answers")
    .option("--use", "speak to it from now on when nothing else is said", false)
    .option("--no-key", "store the address alone, to log in with 'mainstay login --remote <name>'")
    .description("Store a server and its key, after asking it whether the key fits")
    .addHelpText(
      "after",
      "\nThe key is asked for, or read from standard input; it never stands on a command line.\n\nExamples:\n  mainstay remote add prod https://deploy.example.com --use\n  pass show mainstay | mainstay remote add prod https://deploy.example.com",
    )
    .action((name: string, url: string, options: { use: boolean; key: boolean }) =>
      withContext((context) => add(context, { name, url, isUsed: options.use, hasKey: options.key })),
    );
  remote
    .command("list")
    .description("Every stored server, without its key")
    .action(() => withContext(list));
  remote
    .command("remove")
    .argument("<name>", "the remote")
    .description("Forget a server and its key")
    .action((name: string) => withContext((context) => remove(context, name)));
  remote
    .command("use")
    .argument("<name>", `the remote; "${LOCAL}" for the platform on this machine`)
    .description("Speak to this server when nothing else is said")
    .action((name: string) => withContext((context) => use(context, name)));
}

const file = () => remotesPath(process.env);

interface NewRemote {
  name: string;
  url: string;
  isUsed: boolean;
  hasKey: boolean;
}

async function readKey(url: string): Promise<string> {
  const key = await readSecret(`The key of ${url} (mk_…): `);
  if (key !== "") return key;
  const remedy = "Type it when asked, or send it to standard input. --no-key stores the address alone.";
  throw new CliError("no key was given", EXIT.usage, remedy);
}

async function add(context: Context, wish: NewRemote): Promise<void> {
  const name = checkRemoteName(wish.name);
  const url = checkUrl(wish.url);
  const before = await readRemotes(file());
  const key = wish.hasKey ? await readKey(url) : null;
  const version = key === null ? null : await versionAt(url, key);
  const isDefault = wish.isUsed || before.default === name;
  const remotes = { ...before.remotes, [name]: { url, key } };
  await writeRemotes(file(), { ...before, default: isDefault ? name : before.default, remotes });
  const warning = isOpen(url)
    ? `warning: ${url} is not encrypted: key and files can be read on the way`
    : null;
  if (warning) process.stderr.write(`${warning}\n`);
  show(context, { name, url, version, isDefault, warning }, () => {
    const next = isDefault
      ? "Every command speaks to it from now on."
      : `Speak to it with --remote ${name}, or from now on: mainstay remote use ${name}`;
    const what = version === null ? `at ${url}; log in with: mainstay login --remote ${name}` : `Mainstay ${version} at ${url}`;
    return `${name} is ${what}\n${next}`;
  });
}

/** Asks the server, which shows whether the key fits. */
async function versionAt(url: string, key: string): Promise<string> {
  const api = createApiClient({ url, token: key, patienceMs: CHECK_PATIENCE_MS });
  return (await api.get<PlatformResource>("/platform")).version;
}

async function list(context: Context): Promise<void> {
  const stored = await readRemotes(file());
  const items = Object.entries(stored.remotes).map(([name, { url }]) => ({
    name,
    url,
    isDefault: name === stored.default,
  }));
  show(context, items, () => {
    if (items.length === 0) return "No remotes yet. Add one: mainstay remote add prod https://…";
    return table(
      ["REMOTE", "URL", ""],
      items.map((each) => [each.name, each.url, each.isDefault ? "in use" : ""]),
    );
  });
}

async function remove(context: Context, name: string): Promise<void> {
  const stored = await readRemotes(file());
  remoteNamed(stored, name);
  const { [name]: _gone, ...remotes } = stored.remotes;
  await writeRemotes(file(), { ...stored, default: stored.default === name ? null : stored.default, remotes });
  show(context, { name, removed: true }, () => `${name} and its key are forgotten`);
}

async function use(context: Context, name: string): Promise<void> {
  const stored = await readRemotes(file());
  const chosen = name === LOCAL ? null : name;
  const url = chosen === null ? null : remoteNamed(stored, chosen).url;
  await writeRemotes(file(), { ...stored, default: chosen });
  show(context, { name, url }, () =>
    url === null ? "Commands speak to this machine again." : `Commands speak to ${name}, ${url}.`,
  );
}

function checkUrl(text: string): string {
  const url = URL.parse(text);
  const isFit = url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  if (!isFit) throw new CliError(`${text} is not an address such as https://deploy.example.com`, EXIT.usage);
  if (url.username !== "" || url.password !== "")
    throw new CliError("an address holds no user and no password", EXIT.usage, "The key is asked for.");
  return withoutSlash(url.href);
}

function isOpen(url: string): boolean {
  return url.startsWith("http:") && !isLoopback(url);
}
