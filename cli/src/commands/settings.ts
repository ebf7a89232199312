import type { ReleaseResource, SettingsResource } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";
import { withFollowing, type FollowedOptions } from "./followed-change.ts";
import { requestAndFollow, wishFor } from "./request-change.ts";

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

type Values = Record<string, string | null>;

/** `mainstay env …` and `mainstay secrets …`: the configuration of a service, altered by guarded changes. */
export function addSettings(program: Command, withContext: WithContext): void {
  addEnv(program, withContext);
  addSecrets(program, withContext);
}

const ABOUT_CHANGES = `
Each is a change of kind setting: the same code with other variables, rolled out in the service's stages,
judged against what serves, and undone when it does harm. What is set stays in force for releases to come.`;

function addEnv(program: Command, withContext: WithContext): void {
  const env = program.command("env").description("The variables of a service");
  const set = env.command("set").argument("<service>").argument("<KEY=value...>");
  withFollowing(set.description("Set variables, as a change that is judged"))
    .addHelpText(
      "after",
      `${ABOUT_CHANGES}\n\nExample:\n  mainstay env set shop LOG=debug --reason "slow query"`,
    )
    .action((service: string, pairs: string[], options: FollowedOptions) =>
      withContext((context) => alter(context, { service, env: readPairs(pairs), secrets: {} }, options)),
    );
  const unset = env.command("unset").argument("<service>").argument("<KEY...>");
  withFollowing(unset.description("Take variables away, also those of the service file"))
    .addHelpText("after", `${ABOUT_CHANGES}\n\nExample:\n  mainstay env unset shop LOG`)
    .action((service: string, names: string[], options: FollowedOptions) =>
      withContext((context) => alter(context, { service, env: nothingFor(names), secrets: {} }, options)),
    );
  env
    .command("list")
    .argument("<service>")
    .option("--environment <name>", "of the service", "production")
    .description("The variables of what serves")
    .action((service: string, { environment }: { environment: string }) =>
      withContext(async (context) => {
        const { env: items } = await settingsOf(context, service, environment);
        const rows = items.map((each) => [each.name, whereFrom(each), each.value]);
        show(context, items, () => table(["NAME", "FROM", "VALUE"], rows));
      }),
    );
}

function addSecrets(program: Command, withContext: WithContext): void {
  const secrets = program.command("secrets").description("The secrets of a service; values are never shown");
  const set = secrets.command("set").argument("<service>").argument("<KEY>");
  withFollowing(set.description("Set a secret to what comes in on standard input"))
    .addHelpText(
      "after",
      `${ABOUT_CHANGES}\n\nExamples:\n  mainstay secrets set shop DATABASE_URL < url.txt\n  pass show shop/db | mainstay secrets set shop DATABASE_URL`,
    )
    .action((service: string, name: string, options: FollowedOptions) =>
      withContext(async (context) => {
        const value = await readSecret(context, name);
        await alter(context, { service, env: {}, secrets: { [mustBeName(name)]: value } }, options);
      }),
    );
  const unset = secrets.command("unset").argument("<service>").argument("<KEY...>");
  withFollowing(unset.description("Take secrets away"))
    .addHelpText("after", `${ABOUT_CHANGES}\n\nExample:\n  mainstay secrets unset shop OLD_KEY`)
    .action((service: string, names: string[], options: FollowedOptions) =>
      withContext((context) => alter(context, { service, env: {}, secrets: nothingFor(names) }, options)),
    );
  secrets
    .command("list")
    .argument("<service>")
    .option("--environment <name>", "of the service", "production")
    .description("The names of the secrets of what serves")
    .action((service: string, { environment }: { environment: string }) =>
      withContext(async (context) => {
        const { secrets: items } = await settingsOf(context, service, environment);
        show(context, items, () =>
          table(
            ["NAME", "FROM"],
            items.map((each) => [each.name, whereFrom(each)]),
          ),
        );
      }),
    );
}

interface Alteration {
  service: string;
  env: Values;
  secrets: Values;
}

async function alter(context: Context, wish: Alteration, options: FollowedOptions): Promise<void> {
  const { service, env, secrets } = wish;
  const path = settingsPath(service, options.environment);
  const release = await context.api.post<ReleaseResource | null>(path, { env, secrets });
  if (release === null)
    return show(context, release, () => `kept for the first release of ${service} in ${options.environment}`);
  if (!context.isJson) context.print(`release   ${release.id}`);
  const { environment } = options;
  const subject = { kind: "setting", candidate: release.id, service, environment };
  await requestAndFollow(context, wishFor(subject, options), options);
}

function settingsPath(service: string, environment: string): string {
  return `/environments/${encodeURIComponent(environment)}/services/${encodeURIComponent(service)}/settings`;
}

async function settingsOf(context: Context, service: string, environment: string): Promise<SettingsResource> {
  return context.api.get<SettingsResource>(settingsPath(service, environment));
}

function whereFrom({ isSet }: { isSet: boolean }): string {
  return isSet ? "set" : "service file";
}

function readPairs(pairs: string[]): Values {
  const read = pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw new CliError(`"${pair}" is not KEY=value`, EXIT.usage);
    return [mustBeName(pair.slice(0, at)), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(read);
}

function nothingFor(names: string[]): Values {
  return Object.fromEntries(names.map((name) => [mustBeName(name), null]));
}

function mustBeName(name: string): string {
  if (VARIABLE.test(name)) return name;
  const remedy = "Use letters, digits and underscores; a secret's value comes in on standard input.";
  // Somebody may have written KEY=value: what follows the name is not repeated.
  throw new CliError(`"${name.split("=")[0]}…" is not the name of a variable`, EXIT.usage, remedy);
}

async function readSecret(context: Context, name: string): Promise<string> {
  mustBeName(name);
  context.status(`the value of ${name}, then Ctrl-D:`);
  const value = (await context.input()).replace(/\r?\n$/, "");
  context.status("");
  if (value !== "" && !/[\r\n]/.test(value)) return value;
  const what = value === "" ? "nothing" : "more than one line";
  const remedy = `printf %s "$VALUE" | mainstay secrets set … ${name}`;
  throw new CliError(`${what} came in on standard input for ${name}`, EXIT.usage, remedy);
}
