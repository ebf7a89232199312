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

export const ABOUT_CHANGES = `
Each is a change of kind setting: the same code with other variables, rolled out in the service's stages,
judged against what serves, and undone when it does harm. What is set stays in force for releases to come.`;

/** `mainstay env …`: the variables of a service, altered by guarded changes. */
export function addEnv(program: Command, withContext: WithContext): void {
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

export interface Alteration {
  service: string;
  env: Values;
  secrets: Values;
}

/** Makes a release with another configuration, and a change that brings it in. */
export async function alter(context: Context, wish: Alteration, options: FollowedOptions): Promise<void> {
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

/** These names, to be taken away. */
export function nothingFor(names: string[]): Values {
  return Object.fromEntries(names.map((name) => [mustBeName(name), null]));
}

/** The name of a variable, or an error that repeats nothing behind it. */
export function mustBeName(name: string): string {
  if (VARIABLE.test(name)) return name;
  const remedy = "Use letters, digits and underscores; a secret's value comes in on standard input.";
  // Somebody may have written KEY=value: what follows the name is not repeated.
  throw new CliError(`"${name.split("=")[0]}…" is not the name of a variable`, EXIT.usage, remedy);
}
