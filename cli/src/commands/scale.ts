import type { SettingsResource } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";
import { withFollowing, type FollowedOptions } from "./followed-change.ts";
import { requestAndFollow, wishFor } from "./request-change.ts";

/** `mainstay scale`: how many instances of each process run. */
export function addScale(program: Command, withContext: WithContext): void {
  const command = program
    .command("scale")
    .argument("<service>", "whose processes")
    .argument("[numbers...]", "<process>=<count>; without any, the present ones are listed")
    .description("Change how many instances of a process run; those that stay never notice");
  withFollowing(command)
    .addHelpText(
      "after",
      `
The numbers stay in force for releases to come, whatever their service file says. New instances pass their
health gate before a surplus is drained. To undo: mainstay rollback <id of the change>.

Examples:
  mainstay scale shop
  mainstay scale shop web=4 worker=0`,
    )
    .action((service: string, numbers: string[], options: FollowedOptions) =>
      withContext((context) => scale(context, { service, numbers }, options)),
    );
}

async function scale(
  context: Context,
  { service, numbers }: { service: string; numbers: string[] },
  options: FollowedOptions,
): Promise<void> {
  if (numbers.length === 0) return list(context, service, options.environment);
  const wrong = numbers.find((each) => !/^[a-z][a-z0-9-]*=\d{1,3}$/.test(each));
  if (wrong !== undefined)
    throw new CliError(`"${wrong}" is not <process>=<count>`, EXIT.usage, `mainstay scale ${service} web=2`);
  const { environment } = options;
  const subject = { kind: "scale", candidate: numbers.join(","), service, environment };
  await requestAndFollow(context, wishFor(subject, options), options);
}

async function list(context: Context, service: string, environment: string): Promise<void> {
  const path = `/environments/${environment}/services/${service}/settings`;
  const { scale: numbers } = await context.api.get<SettingsResource>(path);
  show(context, numbers, () =>
    table(
      ["PROCESS", "INSTANCES", "SERVICE FILE"],
      numbers.map((each) => [each.process, String(each.instances), String(each.file)]),
    ),
  );
}
