import { AppError } from "@mainstay/api/plain";
import { checkConfig, describeConfig, loadConfig } from "@mainstay/server";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";

interface ConfigOptions {
  config?: string;
}

/** `mainstay config …`: works without a server. */
export function addConfig(
  program: Command,
  withOwnContext: (run: (context: Context) => Promise<void>) => Promise<void>,
): void {
  const config = program.command("config").description("Look at the platform's configuration");
  config
    .command("check")
    .description("Say everything that is wrong with it")
    .option("--config <file>", "instead of mainstay.platform.yaml in this directory")
    .action((options: ConfigOptions) => withOwnContext((context) => check(context, options)));
  config
    .command("show")
    .description("Every key with its value and where it comes from; secrets are masked")
    .option("--config <file>", "instead of mainstay.platform.yaml in this directory")
    .action((options: ConfigOptions) => withOwnContext((context) => showAll(context, options)));
}

function requestFor(options: ConfigOptions) {
  return { file: options.config, env: process.env, cwd: process.cwd() };
}

async function check(context: Context, options: ConfigOptions): Promise<void> {
  const { file, findings } = await checkConfig(requestFor(options));
  const name = file ?? "the environment (there is no mainstay.platform.yaml here)";
  if (context.isJson) context.print(JSON.stringify({ file, findings }, null, 2));
  if (findings.length > 0) throw new AppError("CONFIG_INVALID", { file: name }, { errors: findings });
  if (!context.isJson) context.print(`${name}: ok`);
}

async function showAll(context: Context, options: ConfigOptions): Promise<void> {
  const rows = describeConfig(await loadConfig(requestFor(options)));
  show(context, rows, () =>
    table(
      ["KEY", "VALUE", "FROM"],
      rows.map((row) => [row.path, row.value, row.source]),
    ),
  );
}
