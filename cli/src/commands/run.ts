import { setTimeout as delay } from "node:timers/promises";
import type { TaskResource } from "@mainstay/api";
import { formatSize } from "@mainstay/api/plain";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { durationOption } from "../options.ts";
import { sendArchive } from "../upload/send-archive.ts";
import { spool } from "../upload/spool.ts";
import type { WithContext } from "./deploy.ts";

const HOUR_MS = 3_600_000;
const LOOK_MS = 100;
/** It lies on this disk and then on the server's, whose own limit is uploads.maxSize. */
const INPUT_LIMIT_BYTES = 4 * 1024 ** 3;
/** What the shell answers for a command that was interrupted. */
const INTERRUPTED = 130;

interface RunOptions {
  environment: string;
  timeout: number;
  /** Undefined: if it is a pipe or a file. */
  stdin?: boolean;
}

/** `mainstay run`: one command beside the service, with its code, variables and limits. */
export function addRun(program: Command, withContext: WithContext): void {
  program
    .command("run")
    .argument("<service>", "whose code and variables")
    .argument("<command...>", "the command line, behind --")
    .option("--environment <name>", "of the service", "production")
    .option("--timeout <duration>", "the command is ended after this time", durationOption, HOUR_MS)
    .option("--stdin", "hand standard input on, whatever it is (a pipe or a file is handed on by itself)")
    .option("--no-stdin", "leave standard input alone, as in a loop that reads lines from it")
    .description("Run a command once, with the code and the variables of the release that serves")
    .addHelpText(
      "after",
      `
Its output is shown as it comes, and its exit code is this command's. Ctrl-C ends it. Values of secrets are
masked in the output. A pipe or a file on standard input is handed on byte for byte. It is taken to the
server completely before the command starts, so that no break in the connection ends it early.

Examples:
  mainstay run shop -- node scripts/recount.js --all
  mainstay run shop -- node scripts/import.js < customers.csv
  pg_dump old | mainstay run shop --timeout 10m -- sh -c 'psql "$DATABASE_URL"'
  mainstay run shop --timeout 10m -- "npm run export | gzip > /tmp/export.gz"`,
    )
    .action((service: string, command: string[], options: RunOptions) =>
      withContext((context) => run(context, { service, command }, options)),
    );
}

async function run(
  context: Context,
  { service, command }: { service: string; command: string[] },
  { environment, timeout, stdin }: RunOptions,
): Promise<void> {
  const line = command.length === 1 ? command[0] : command.map(quote).join(" ");
  const input = await takeInput(context, stdin);
  const body = { service, environment, command: line, timeoutMs: timeout, ...(input ? { input } : {}) };
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

/** Sends what comes in on standard input; null when that is nothing, or not wanted. */
async function takeInput(context: Context, isWanted: boolean | undefined): Promise<string | null> {
  if (!(isWanted ?? context.isPiped())) return null;
  const archive = await spool(context.inputBytes(), (sizeBytes) => {
    context.status(`reading standard input, ${formatSize(sizeBytes)} …`);
    if (sizeBytes > INPUT_LIMIT_BYTES) throw tooLarge();
  });
  try {
    if (archive.sizeBytes === 0) return null;
    return await sendArchive(context.api, archive, {
      nowMs: context.nowMs,
      onProgress: ({ sentBytes, sizeBytes }) =>
        context.status(`sending standard input, ${formatSize(sentBytes)} of ${formatSize(sizeBytes)}`),
    });
  } finally {
    context.status("");
    await archive.close();
  }
}

function tooLarge(): CliError {
  const advice = "put it where the command can fetch it, or send it in parts";
  return new CliError(
    `standard input is larger than ${formatSize(INPUT_LIMIT_BYTES)}: ${advice}`,
    EXIT.failed,
  );
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
