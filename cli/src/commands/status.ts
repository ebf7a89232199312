import {
  formatShare,
  type ChangeResource,
  type PlatformResource,
  type ReleaseResource,
  type ServiceResource,
} from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { queueWords, waitingOf } from "../output/queue-words.ts";
import { ago, table } from "../output/table.ts";
import { countOption, durationOption } from "../options.ts";
import type { WithContext } from "./deploy.ts";
import { followChange } from "./follow.ts";

interface Page<Item> {
  items: Item[];
}

/** The commands of daily work: status, releases, rollback, logs. */
export function addDaily(program: Command, withContext: WithContext): void {
  program
    .command("status")
    .argument("[service]", "only this service")
    .description("What serves, what is on trial, and whether the platform is well")
    .action((service: string | undefined) => withContext((context) => status(context, service)));
  program
    .command("releases")
    .argument("[service]", "only of this service")
    .option("--limit <count>", "how many", countOption, 20)
    .description("The latest releases")
    .action((service: string | undefined, options: { limit: number }) =>
      withContext((context) => releases(context, service, options.limit)),
    );
  program
    .command("rollback")
    .argument("<service>", "a service, or the id of a change")
    .option("--environment <name>", "of the service", "production")
    .option("--timeout <duration>", "stop waiting after this long", durationOption)
    .option("--reason <text>", "for the timeline and the audit log")
    .description("Go back to the release before")
    .addHelpText(
      "after",
      "\nWhile the old release is still warm this is one weight write.\n\nExample:\n  mainstay rollback shop",
    )
    .action((service: string, options: RollbackOptions) =>
      withContext((context) => rollback(context, service, options)),
    );
  program
    .command("logs")
    .argument("<service>", "a service, or the id of an instance")
    .option("-f, --follow", "go on with what is written from now on", false)
    .option("--tail <lines>", "how many lines from the end", countOption, 100)
    .description("What the instances wrote to standard output and error")
    .action((service: string, options: LogOptions) =>
      withContext((context) => logs(context, service, options)),
    );
}

async function status(context: Context, service: string | undefined): Promise<void> {
  const platform = await context.api.get<PlatformResource>("/platform");
  const { items } = await context.api.get<Page<ServiceResource>>("/services");
  const services = service ? items.filter((each) => each.service === service) : items;
  if (service && services.length === 0)
    throw new CliError(`no service ${service}`, EXIT.failed, "mainstay status lists all");
  const { items: active } = await context.api.get<Page<ChangeResource>>("/changes?active=true&limit=200");
  const queue = waitingOf(active).filter((each) => !service || each.service === service);
  show(context, { platform, services, queue }, () =>
    [
      platformWords(platform),
      "",
      servicesWords(services, context.nowMs()),
      ...queueWords(queue, context),
    ].join("\n"),
  );
}

function platformWords(platform: PlatformResource): string {
  const lost = Object.values(platform.lost).reduce((total, value) => total + value, 0);
  return (
    `Mainstay ${platform.version} · data plane ${platform.dataPlane} · agent ${platform.agent} · ${platform.database}\n` +
    `${platform.requests} requests proxied, ${lost} lost by the platform · ${platform.changesActive} changes under way`
  );
}

function servicesWords(services: ServiceResource[], nowMs: number): string {
  if (services.length === 0) return "No services yet. Ship something: mainstay deploy ./my-service";
  const rows = services.flatMap((each) => [
    [each.service, each.environment, releaseWords(each.stable, nowMs), trialWords(each)],
    ...each.instances.map((one) => ["", "", `  ${one.process} ${one.id}`, instanceWords(one)]),
  ]);
  return table(["SERVICE", "ENVIRONMENT", "SERVES", "ON TRIAL"], rows);
}

function releaseWords(release: ReleaseResource | null, nowMs: number): string {
  if (!release) return "nothing";
  return `${release.version ?? release.id} (${ago(release.createdAt, nowMs)})`;
}

function trialWords(service: ServiceResource): string {
  if (!service.candidate) return "–";
  return `${service.candidate.version ?? service.candidate.id} at ${formatShare(service.weight)} (${service.change})`;
}

function instanceWords(instance: ServiceResource["instances"][number]): string {
  const where = instance.port === null ? "" : ` on port ${instance.port}`;
  const crashes = instance.crashes === 0 ? "" : `, ${instance.crashes} crashes`;
  return `${instance.state}${where}${crashes}`;
}

async function releases(context: Context, service: string | undefined, limit: number): Promise<void> {
  const query = new URLSearchParams({ limit: String(limit), ...(service ? { service } : {}) });
  const { items } = await context.api.get<Page<ReleaseResource>>(`/releases?${query}`);
  show(context, items, () => {
    if (items.length === 0) return "No releases yet. Ship something: mainstay deploy ./my-service";
    const rows = items.map((each) => [
      ...[each.id, each.service, each.environment, each.version ?? "–"],
      ...[each.digest.slice(0, 19), ago(each.createdAt, context.nowMs()), each.createdBy.name],
    ]);
    return table(["RELEASE", "SERVICE", "ENVIRONMENT", "VERSION", "DIGEST", "REGISTERED", "BY"], rows);
  });
}

interface RollbackOptions {
  environment: string;
  timeout?: number;
  reason?: string;
}

async function rollback(context: Context, service: string, options: RollbackOptions): Promise<void> {
  const id = service.startsWith("chg_") ? service : await latestChange(context, service, options.environment);
  const change = await context.api.post<ChangeResource>(`/changes/${id}/rollback`, {
    reason: options.reason ?? null,
  });
  const isUndo = change.id === id;
  if (!context.isJson) context.print(isUndo ? `undoing ${id}` : `change    ${change.id}`);
  try {
    await followChange(context, change.id, {
      untilBaking: !isUndo,
      isStreaming: false,
      timeoutMs: options.timeout ?? null,
    });
  } catch (error) {
    // An undone change is what was asked for here.
    const isUndone = isUndo && (await context.api.get<ChangeResource>(`/changes/${id}`)).state === "undone";
    if (!isUndone) throw error;
    if (!context.isJson) context.print(`${change.stable} serves ${change.service} again`);
  }
}

async function latestChange(context: Context, service: string, environment: string): Promise<string> {
  const query = new URLSearchParams({ service, environment, limit: "20" });
  const { items } = await context.api.get<Page<ChangeResource>>(`/changes?${query}`);
  const latest = items.find((each) => each.state !== "undone");
  if (!latest) throw new CliError(`${service} in ${environment} has no change to go back from`, EXIT.failed);
  return latest.id;
}

interface LogOptions {
  follow: boolean;
  tail: number;
}

async function logs(context: Context, service: string, { follow, tail }: LogOptions): Promise<void> {
  const ids = service.startsWith("ins_") ? [service] : await instancesOf(context, service);
  const query = `tail=${tail}&follow=${follow ? 1 : 0}`;
  await Promise.all(
    ids.map((id) => printLog(context, id, { query, prefix: ids.length > 1 ? `${id.slice(-6)} | ` : "" })),
  );
}

async function instancesOf(context: Context, service: string): Promise<string[]> {
  const { items } = await context.api.get<Page<ServiceResource>>("/services");
  const ids = items
    .filter((each) => each.service === service)
    .flatMap((each) => each.instances.map((one) => one.id));
  if (ids.length === 0)
    throw new CliError(`${service} has no instances`, EXIT.failed, "mainstay status lists all services");
  return ids;
}

async function printLog(
  context: Context,
  id: string,
  words: { query: string; prefix: string },
): Promise<void> {
  for await (const { line } of context.api.stream<{ line: string }>(`/instances/${id}/logs?${words.query}`)) {
    context.print(words.prefix + line);
  }
}
