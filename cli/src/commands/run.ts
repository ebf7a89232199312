import { setTimeout as delay } from "node:timers/promises";
import type { TaskResource } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { durationOption } from "../options.ts";
import type { WithContext } from "./deploy.ts";

const HOUR_MS = 3_600_000;
const LOOK_MS = 100;
/** What the shell answers for a command that was interrupted. */
const INTERRUPTED = 130;

interface RunOptions {
  environment: string;
  timeout: number;
}

/** `mainstay run`: one command beside the service, with its code, variables and limits. */
export function addRun(program: Command, withContext: WithContext): void {
  program
    .command("run")
    .argument("<service>", "whose code and variables")
    .argument("<command...>", "the command line, behind --")
    .option("--environment <name>", "of the service", "production")
    .option("--timeout <duration>", "the command is ended after this time", durationOption, HOUR_MS)
    .description("Run a command once, with the code and the variables of the release that serves")
    .addHelpText(
      "after",
      `
Its output is shown as it comes, and its exit code is this command's. Ctrl-C ends it. Standard input is not
connected. Values of secrets are masked in the output.

Examples:
  mainstay run shop -- node scripts/recount.js --all
  mainstay run shop --timeout 10m -- "npm run export | gzip > /tmp/export.gz"`,
    )
    .action((service: string, command: string[], options: RunOptions) =>
      withContext((context) => run(context, { service, command }, options)),
    );
}

async function run(
  context: Context,
  { service, command }: { service: string; command: string[] },
  { environment, timeout }: RunOptions,
): Promise<void> {
  const line = command.length === 1 ? command[0] : command.map(quote).join(" ");
  const body = { service, environment, command: line, timeoutMs: timeout };
  const { id } = await context.api.post<TaskResource>("/tasks", body);
  const interrupt = () => void context.api.post(`/tasks/${id}/stop`).catch(() => undefined);
  process.once("SIGINT", interrupt);
  try {
    if (!context.isJson) await attach(context, id);
    finish(context, await untilFinished(context, id));
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** Shows the output until the command ends; what a break in the connection swallows is in `mainstay logs`. */
async function attach(context: Context, id: string): Promise<void> {
  try {
    const lines = context.api.stream<{ line: string }>(`/instances/${id}/logs?tail=10000&follow=1`);
    for await (const { line } of lines) context.print(line);
  } catch (error) {
    // fetch reports a connection that broke while the body was read as a TypeError.
    if (!(error instanceof TypeError)) throw error;
    context.print(`(the output broke off; mainstay logs ${id} has it)`);
  }
}

async function untilFinished(context: Context, id: string): Promise<TaskResource> {
  for (;;) {
    const task = await context.api.get<TaskResource>(`/tasks/${id}`);
    if (task.finishedAt !== null) return task;
    await delay(LOOK_MS);
  }
}

function finish(context: Context, task: TaskResource): void {
  if (context.isJson) context.print(JSON.stringify(task, null, 2));
  if (task.state === "succeeded") return;
  const exitCode = task.exitCode || (task.state === "stopped" ? INTERRUPTED : EXIT.failed);
  throw new CliError(`the command ${task.state}: ${task.reason}`, exitCode);
}

/** One word of a command line, for /bin/sh. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
