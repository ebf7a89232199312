import { readFile } from "node:fs/promises";
import type { RevealedSecrets, SecretsResource } from "@mainstay/api";
import { Option, type Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { ago, table } from "../output/table.ts";
import { readSecret } from "../prompts.ts";
import { formatSecrets, readSecretsText } from "../secrets-text.ts";
import type { WithContext } from "./deploy.ts";
import { withFollowing, type FollowedOptions } from "./followed-change.ts";
import type { WithOwnContext } from "./install.ts";
import { addRecovery } from "./secrets-recovery.ts";
import { addRotation } from "./secrets-rotation.ts";
import { ABOUT_CHANGES, alter, mustBeName, nothingFor } from "./settings.ts";

interface Contexts {
  withContext: WithContext;
  withOwnContext: WithOwnContext;
}

interface Place {
  environment: string;
}

/** `mainstay secrets …`: the secrets of services, and the keys that everything sealed is wrapped with. */
export function addSecrets(program: Command, { withContext, withOwnContext }: Contexts): void {
  const secrets = program
    .command("secrets")
    .description("The secrets of services, sealed in the database; and the keys they are sealed with");
  addChanging(secrets, withContext);
  addReading(secrets, withContext);
  addRotation(secrets, withContext);
  addRecovery(secrets, withOwnContext);
}

function addChanging(secrets: Command, withContext: WithContext): void {
  const set = secrets.command("set").argument("<service>").argument("<KEY>");
  withFollowing(set.description("Set a secret to what comes in on standard input, or is asked for"))
    .addHelpText(
      "after",
      `${ABOUT_CHANGES}\n\nExamples:\n  mainstay secrets set shop DATABASE_URL < url.txt\n  pass show shop/db | mainstay secrets set shop DATABASE_URL`,
    )
    .action((service: string, name: string, options: FollowedOptions) =>
      withContext(async (context) => {
        const value = await readValue(context, mustBeName(name));
        await alter(context, { service, env: {}, secrets: { [name]: value } }, options);
      }),
    );
  const remove = secrets.command("delete").alias("unset").argument("<service>").argument("<KEY...>");
  withFollowing(remove.description("Take secrets away"))
    .addHelpText("after", `${ABOUT_CHANGES}\n\nExample:\n  mainstay secrets delete shop OLD_KEY`)
    .action((service: string, names: string[], options: FollowedOptions) =>
      withContext((context) => alter(context, { service, env: {}, secrets: nothingFor(names) }, options)),
    );
  const load = secrets.command("import").argument("<service>").argument("[file]", "- is standard input", "-");
  withFollowing(load.description("Set every secret of a file: KEY=value lines (dotenv) or a JSON object"))
    .addHelpText(
      "after",
      `${ABOUT_CHANGES}\n\nExamples:\n  mainstay secrets import shop .env\n  sops --decrypt shop.json | mainstay secrets import shop`,
    )
    .action((service: string, file: string, options: FollowedOptions) =>
      withContext(async (context) => {
        const values = readSecretsText(file === "-" ? await context.input() : await readText(file));
        for (const name of Object.keys(values)) mustBeName(name);
        await alter(context, { service, env: {}, secrets: values }, options);
      }),
    );
}

function addReading(secrets: Command, withContext: WithContext): void {
  const place = () => new Option("--environment <name>", "of the service").default("production");
  secrets
    .command("list <service>")
    .addOption(place())
    .description("The names of the secrets of what serves")
    .action((service: string, { environment }: Place) =>
      withContext(async (context) => {
        const found = await secretsOf(context, service, environment);
        const rows = found.secrets.map(({ name, isSet, hasValue, changedAt }) => [
          ...[name, isSet ? "set" : "service file", hasValue ? "yes" : "no"],
          changedAt === null ? "–" : ago(changedAt, context.nowMs()),
        ]);
        show(context, found.secrets, () => table(["NAME", "FROM", "VALUE", "CHANGED"], rows));
      }),
    );
  secrets
    .command("versions <service>")
    .addOption(place())
    .description("Every version of the values that is kept, and the releases that use it")
    .action((service: string, { environment }: Place) =>
      withContext(async (context) => {
        const { versions } = await secretsOf(context, service, environment);
        const rows = versions.map((each) => [
          ...[`${each.number}${each.isServing ? " *" : ""}`, ago(each.createdAt, context.nowMs())],
          ...[each.createdBy.name, each.changed.join(", "), String(each.releases.length)],
        ]);
        const words = () => table(["VERSION", "WHEN", "BY", "CHANGED", "RELEASES"], rows);
        show(context, versions, () => (rows.length === 0 ? `${service} has no secrets` : words()));
      }),
    );
  secrets
    .command("export <service>")
    .addOption(place())
    .option("--reveal", "the values too; needs a permission of its own, and is audited", false)
    .option("--version <number>", "instead of the one that serves", Number)
    .option("--reason <text>", "for the audit log")
    .addOption(new Option("--format <format>", "of the output").choices(["env", "json"]).default("env"))
    .description("The secrets of what serves as KEY=value lines or JSON; masked unless they are revealed")
    .addHelpText("after", "\nExample:\n  umask 077; mainstay secrets export shop --reveal > shop.env")
    .action((service: string, options: ExportOptions) =>
      withContext((context) => exportSecrets(context, service, options)),
    );
}

interface ExportOptions extends Place {
  reveal: boolean;
  version?: number;
  reason?: string;
  format: "env" | "json";
}

const MASK = "***";

async function exportSecrets(context: Context, service: string, options: ExportOptions): Promise<void> {
  const { environment, reveal, version, reason = null, format } = options;
  const values = reveal
    ? (
        await context.api.post<RevealedSecrets>(`${secretsPath(service, environment)}/reveal`, {
          reason,
          ...(version === undefined ? {} : { version }),
        })
      ).values
    : masked(await secretsOf(context, service, environment), version);
  const isJson = context.isJson || format === "json";
  context.print(isJson ? JSON.stringify(values, null, 2) : formatSecrets(values));
}

function masked({ version: used, versions }: SecretsResource, wanted = used): Record<string, string> {
  const names = versions.find(({ number }) => number === wanted)?.names ?? [];
  return Object.fromEntries(names.map((name) => [name, MASK]));
}

function secretsPath(service: string, environment: string): string {
  return `/environments/${encodeURIComponent(environment)}/services/${encodeURIComponent(service)}/secrets`;
}

function secretsOf(context: Context, service: string, environment: string): Promise<SecretsResource> {
  return context.api.get<SecretsResource>(secretsPath(service, environment));
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "it cannot be read";
    throw new CliError(`${file}: ${reason}`, EXIT.usage);
  });
}

/** All of standard input without its last line break; on a terminal one line, without an echo. */
async function readValue(context: Context, name: string): Promise<string> {
  const isAsked = process.stdin.isTTY;
  const value = isAsked ? await readSecret(`The value of ${name}: `) : await context.input();
  const text = value.replace(/\r?\n$/, "");
  if (text !== "") return text;
  const remedy = `printf %s "$VALUE" | mainstay secrets set … ${name}`;
  throw new CliError(`nothing came in on standard input for ${name}`, EXIT.usage, remedy);
}
