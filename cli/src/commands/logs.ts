import type { InstanceResource, ServiceResource, TaskName, TaskResource } from "@mainstay/api";
import { TASKS } from "@mainstay/api/plain";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { countOption, durationOption, patternOption } from "../options.ts";
import { TASK_WORDS } from "../output/change-words.ts";
import type { WithContext } from "./deploy.ts";

/** With a filter so many lines are searched for those that fit. */
const SEARCHED_LINES = 10_000;

interface LogOptions {
  environment?: string;
  follow: boolean;
  tail: number;
  process?: string;
  instance?: string;
  release?: string;
  since?: number;
  grep?: RegExp;
}

/** `mainstay logs`: what the instances wrote. */
export function addLogs(program: Command, withContext: WithContext): void {
  program
    .command("logs")
    .argument("<service>", "a service, or the id of an instance or of a command that ran once")
    .option("-f, --follow", "go on with what is written from now on", false)
    .option("--tail <lines>", "how many lines from the end", countOption, 100)
    .option("--environment <name>", "only of this environment")
    .option("--process <name>", "only of this process; release, hook, rehearsal, run: the latest of these")
    .option("--instance <id>", "only of this instance; the end of its id is enough")
    .option("--release <id>", "only of instances of this release")
    .option("--since <duration>", "only what was written this long ago or later", durationOption)
    .option("--grep <pattern>", "only lines that match this regular expression", patternOption)
    .description("What the instances wrote to standard output and error; values of secrets are masked")
    .addHelpText(
      "after",
      `
Examples:
  mainstay logs shop --follow
  mainstay logs shop --process worker --since 10m --grep "order [0-9]+"
  mainstay logs shop --process release      what the latest migration wrote`,
    )
    .action((service: string, options: LogOptions) =>
      withContext((context) => logs(context, service, options)),
    );
}

async function logs(context: Context, service: string, options: LogOptions): Promise<void> {
  const ids = service.startsWith("ins_") ? [service] : await idsOf(context, service, options);
  const print = (id: string) => (line: string) => {
    if (context.isJson) return context.print(JSON.stringify({ instance: id, line }));
    context.print(ids.length > 1 ? `${id.slice(-6)} | ${line}` : line);
  };
  await Promise.all(ids.map((id) => printLog(context, { id, options, print: print(id) })));
}

async function idsOf(context: Context, service: string, options: LogOptions): Promise<string[]> {
  const task = TASKS.find((each) => each === options.process);
  if (task) return [await latestTask(context, service, { ...options, task })];
  const { items } = await context.api.get<{ items: ServiceResource[] }>("/services");
  const instances = items
    .filter(
      (each) => each.service === service && (options.environment ?? each.environment) === each.environment,
    )
    .flatMap((each) => each.instances);
  const ids = instances.filter((each) => isWanted(each, options)).map((each) => each.id);
  if (ids.length > 0) return ids;
  const why = instances.length > 0 ? "has no such instance" : "has no instances";
  throw new CliError(`${service} ${why}`, EXIT.failed, `mainstay status ${service} lists all`);
}

function isWanted(instance: InstanceResource, { process, instance: id, release }: LogOptions): boolean {
  if (process !== undefined && instance.process !== process) return false;
  if (release !== undefined && instance.release !== release) return false;
  return id === undefined || instance.id.endsWith(id);
}

async function latestTask(
  context: Context,
  service: string,
  options: LogOptions & { task: TaskName },
): Promise<string> {
  const query = new URLSearchParams({ service, environment: options.environment ?? "production" });
  const { items } = await context.api.get<{ items: TaskResource[] }>(`/tasks?${query}`);
  const latest = items.find((each) => each.kind === options.task);
  if (latest) return latest.id;
  throw new CliError(`${service} has run no ${TASK_WORDS[options.task]}`, EXIT.failed);
}

interface LogToPrint {
  id: string;
  options: LogOptions;
  print(line: string): void;
}

async function printLog(context: Context, { id, options, print }: LogToPrint): Promise<void> {
  const { grep, tail, follow, since } = options;
  const query = new URLSearchParams({
    tail: String(grep || since !== undefined ? SEARCHED_LINES : tail),
    follow: follow ? "1" : "0",
    ...(since === undefined ? {} : { since: new Date(context.nowMs() - since).toISOString() }),
  });
  const lines = context.api.stream<{ line: string }>(`/instances/${id}/logs?${query}`);
  const kept: string[] = [];
  for await (const { line } of lines) {
    if (grep && !grep.test(line)) continue;
    if (follow || !grep) print(line);
    else kept.push(line);
  }
  for (const line of kept.slice(-tail)) print(line);
}
