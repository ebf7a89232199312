import type { ReleaseResource, ServiceResource } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { environmentOption } from "../options.ts";
import type { WithContext } from "./deploy.ts";
import { addRequestOptions, requestAndFollow, wishFor, type RequestOptions } from "./request-change.ts";

interface PromoteOptions extends RequestOptions {
  from: string;
  to: string;
  env: Record<string, string>;
}

/** `mainstay promote`: what serves in one environment becomes a change of the next. */
export function addPromotion(program: Command, withContext: WithContext): void {
  addRequestOptions(program.command("promote"))
    .argument("<service>", "the service")
    .description("Bring what serves in one environment into another: the same files, that one's settings")
    .requiredOption("--from <environment>", "where it serves now")
    .requiredOption("--to <environment>", "where it is to serve")
    .option("--env <key=value>", "set or override a variable there (repeatable)", environmentOption, {})
    .addHelpText("after", "\nExample:\n  mainstay promote shop --from staging --to production")
    .action((service: string, options: PromoteOptions) =>
      withContext((context) => promote(context, service, options)),
    );
}

async function promote(context: Context, service: string, options: PromoteOptions): Promise<void> {
  const { from, to, env } = options;
  const source = await servingRelease(context, service, from);
  const release = await context.api.post<ReleaseResource>(`/releases/${source.id}/promote`, {
    environment: to,
    env,
  });
  if (!context.isJson) context.print(`release   ${release.id}  ${release.digest} (as in ${from})`);
  const reason = options.reason ?? `promotes ${source.id} from ${from}`;
  const wish = wishFor({ kind: "release", candidate: release.id }, { ...options, reason });
  await requestAndFollow(context, wish, options);
}

async function servingRelease(
  context: Context,
  service: string,
  environment: string,
): Promise<ReleaseResource> {
  const { items } = await context.api.get<{ items: ServiceResource[] }>("/services");
  const found = items.find((each) => each.service === service && each.environment === environment);
  if (found?.stable) return found.stable;
  throw new CliError(
    `nothing of ${service} serves in ${environment}`,
    EXIT.failed,
    "mainstay status lists what serves",
  );
}
