import type {
  ChangeResource,
  PlatformResource,
  ProblemResource,
  ReleaseResource,
  ServiceResource,
} from "@mainstay/api";
import { formatShare, formatSize } from "@mainstay/api/plain";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { gateLine } from "../output/gate-words.ts";
import { pullWords } from "../output/pull-words.ts";
import { queueWords, waitingOf } from "../output/queue-words.ts";
import { ago, table } from "../output/table.ts";
import { durationOption } from "../options.ts";
import type { WithContext } from "./deploy.ts";
import { followChange } from "./follow.ts";

interface Page<Item> {
  items: Item[];
}

/** The commands of daily work: status and rollback. */
export function addDaily(program: Command, withContext: WithContext): void {
  program
    .command("status")
    .argument("[service]", "only this service")
    .description("What serves, what is on trial, and whether the platform is well")
    .action((service: string | undefined) => withContext((context) => status(context, service)));
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
}

async function status(context: Context, service: string | undefined): Promise<void> {
  const platform = await context.api.get<PlatformResource>("/platform");
  const { items } = await context.api.get<Page<ServiceResource>>("/services");
  const services = service ? items.filter((each) => each.service === service) : items;
  if (service && services.length === 0)
    throw new CliError(`no service ${service}`, EXIT.failed, "mainstay status lists all");
  const { items: active } = await context.api.get<Page<ChangeResource>>("/changes?active=true&limit=200");
  const queue = waitingOf(active).filter((each) => !service || each.service === service);
  const gates = active
    .filter((each) => !service || each.service === service)
    .flatMap((each) => each.gates.map((gate) => ({ change: each.id, ...gate })));
  const problems = (await problemsOf(context)).filter(
    (each) => !service || each.service === null || each.service === service,
  );
  show(context, { platform, services, queue, gates, problems }, () =>
    [
      platformWords(platform),
      ...problems.map((each) => `problem (since ${ago(each.since, context.nowMs())}): ${each.summary}`),
      "",
      servicesWords(services, context.nowMs()),
      ...gates.map((gate) => `gate of ${gate.change}, ${gateLine(gate)}`),
      ...queueWords(queue, context),
    ].join("\n"),
  );
}

/** None for who may not see them: what serves is told all the same. */
async function problemsOf({ api }: Context): Promise<ProblemResource[]> {
  try {
    return (await api.get<Page<ProblemResource>>("/problems")).items;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.denied) return [];
    throw error;
  }
}

function platformWords(platform: PlatformResource): string {
  const lost = Object.values(platform.lost).reduce((total, value) => total + value, 0);
  return (
    `Mainstay ${platform.version} · data plane ${platform.dataPlane} · agent ${platform.agent} · ${platform.database}\n` +
    `${platform.requests} requests proxied, ${lost} lost by the platform · ${platform.changesActive} changes under way` +
    limitsWords(platform) +
    pullsWords(platform)
  );
}

function limitsWords({ resourceLimits }: PlatformResource): string {
  return resourceLimits?.by === "none"
    ? `\nresources: limits are not enforced: ${resourceLimits.reason}`
    : "";
}

function pullsWords({ pulls }: PlatformResource): string {
  return pulls.map((each) => `\n${pullWords(each)}`).join("");
}

function servicesWords(services: ServiceResource[], nowMs: number): string {
  if (services.length === 0) return "No services yet. Ship something: mainstay deploy ./my-service";
  const rows = services.flatMap((each) => [
    [each.service, each.environment, serviceWords(each, nowMs), trialWords(each)],
    ...dependencyRows(each),
    ...each.instances.map((one) => ["", "", `  ${one.process} ${one.id}`, instanceWords(one)]),
  ]);
  return table(["SERVICE", "ENVIRONMENT", "SERVES", "ON TRIAL"], rows);
}

function serviceWords(service: ServiceResource, nowMs: number): string {
  const release = releaseWords(service.stable, nowMs);
  return service.maintenance ? `the maintenance page instead of ${release}` : release;
}

function dependencyRows({ stable, candidate }: ServiceResource): string[][] {
  const { dependsOn = [] } = stable ?? candidate ?? {};
  return dependsOn.length === 0 ? [] : [["", "", `  depends on ${dependsOn.join(", ")}`, ""]];
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
  const crashes = instance.crashes === 0 ? "" : `, ${instance.crashes} crashes${exitWords(instance)}`;
  return `${instance.state}${where}${crashes}`;
}

function exitWords({ lastExit }: ServiceResource["instances"][number]): string {
  if (lastExit?.cause !== "memory") return "";
  return `, the last killed for exceeding ${formatSize(lastExit.limitBytes ?? 0)}`;
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
  const latest = items.find((each) => each.state !== "undone" && each.kind !== "scale");
  if (!latest) throw new CliError(`${service} in ${environment} has no change to go back from`, EXIT.failed);
  return latest.id;
}
