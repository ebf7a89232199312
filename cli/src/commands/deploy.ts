import type { PreviewResource } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { counted } from "../output/counted.ts";
import { stoppingCount } from "../output/finding-words.ts";
import { environmentOption } from "../options.ts";
import { printDiff } from "../release-diff.ts";
import { planWords, register, type DeployOptions } from "./deploy-options.ts";
import { deploySeveral } from "./deploy-several.ts";
import { addRequestOptions, previewChange, requestAndFollow, wishFor } from "./request-change.ts";

/** `mainstay deploy`: registers a directory as a release and requests the change that brings it in. */
export function addDeploy(program: Command, withContext: WithContext): void {
  addRequestOptions(program.command("deploy"))
    .argument("[directories...]", "the service's files; of several services, in any order", ["."])
    .description("Ship a directory as a new release, guarded by the judge")
    .option("--file <name>", "the service file inside the directory", "mainstay.yaml")
    .option("--environment <name>", "instead of the one in the service file")
    .option(
      "--env <key=value>",
      "set or override a variable of this release (repeatable)",
      environmentOption,
      {},
    )
    .option("--upload", "send the files, even to a server that could read them from this disk", false)
    .option("--rebuild", "build anew, even if the same source was built before", false)
    .option("--signature <file>", "the .minisig file over what mainstay digest prints")
    .option("--release <id>", "bring in a release that is registered already")
    .option("--immediate", "all traffic at once after the health gate, nothing compared", false)
    .option("--check", "show the plan and what speaks against it; alter nothing", false)
    .option("--detach", "request the change and return", false)
    .option("--watch", "with --json: a line of JSON for every step instead of one document at the end", false)
    .addHelpText(
      "after",
      `
Examples:
  mainstay deploy                       the directory you stand in
  mainstay deploy ./shop --check        plan and findings only
  mainstay deploy ./api ./shop ./mail   one after the other, in the order of their dependsOn
  mainstay deploy ./shop --env LOG=debug --reason "find the slow query"
  mainstay deploy --remote prod         to a server elsewhere: the files are sent there
  mainstay deploy --release rel_0192…   an earlier release again
  mainstay deploy --force PREFLIGHT_MEMORY --reason "the other service is stopped next"`,
    )
    .action((directories: string[], options: DeployOptions) =>
      withContext((context) => {
        const [directory = ".", ...more] = directories;
        if (more.length > 0) return deploySeveral(context, directories, options);
        return deploy(context, directory, options);
      }),
    );
}

export type WithContext = (run: (context: Context) => Promise<void>) => Promise<void>;

async function deploy(context: Context, directory: string, options: DeployOptions): Promise<void> {
  const candidate = options.release ?? (await register(context, directory, options)).id;
  if (!context.isJson) await printDiff(context, candidate);
  const wish = wishFor({ kind: "release", candidate }, options);
  if (options.check) return showPlan(context, await previewChange(context, wish));
  await requestAndFollow(context, wish, options);
}

function showPlan(context: Context, preview: PreviewResource): void {
  show(context, preview, () => planWords(preview));
  const count = stoppingCount(preview.findings);
  if (count > 0)
    throw new CliError(
      `${counted(count, "finding speaks", "findings speak")} against this change`,
      EXIT.failed,
    );
}
