import type { BeatResource, ChannelResource, DeliveryResource, ProblemResource } from "@mainstay/api";
import { formatDuration } from "@mainstay/api/plain";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { countOption } from "../options.ts";
import { ago, table, until } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

interface DeliveriesOptions {
  channel?: string;
  state?: string;
  limit: number;
}

/** `mainstay channels …` and `mainstay problems`. */
export function addChannels(program: Command, withContext: WithContext): void {
  const channels = program.command("channels").description("Messages: who is told of what is wrong");
  channels
    .command("list", { isDefault: true })
    .description("Every channel and the beat, and whether they arrive")
    .action(() => withContext(list));
  channels
    .command("test")
    .argument("<name>")
    .description("Send one message now, and say what came of it")
    .addHelpText("after", "\nExample:\n  mainstay channels test ops-mail")
    .action((name: string) => withContext((context) => test(context, name)));
  channels
    .command("deliveries")
    .description("What was sent, and what came of it; newest first")
    .option("--channel <name>", "of one channel")
    .option("--state <state>", "pending, delivered or failed")
    .option("--limit <count>", "how many", countOption, 20)
    .addHelpText("after", "\nExample:\n  mainstay channels deliveries --state failed")
    .action((options: DeliveriesOptions) => withContext((context) => deliveries(context, options)));
  program
    .command("problems")
    .description("What is wrong right now")
    .action(() => withContext(problems));
}

async function list(context: Context): Promise<void> {
  const [{ items }, beat] = await Promise.all([
    context.api.get<{ items: ChannelResource[] }>("/channels"),
    context.api.get<BeatResource>("/beat"),
  ]);
  show(context, { channels: items, beat }, () => `${channelsInWords(items)}\n${beatInWords(beat, context)}`);
}

function channelsInWords(items: ChannelResource[]): string {
  if (items.length === 0) return "No channels: nobody is told. docs/guides/messages.md says how to add one.";
  const rows = items.map(({ name, kind, target, state, pending, delivered, failed, dropped, problem }) => [
    ...[name, kind, target, state],
    ...[pending, delivered, failed, dropped].map(String),
    problem ?? "",
  ]);
  const header = ["CHANNEL", "KIND", "TO", "STATE", "PENDING", "DELIVERED", "FAILED", "DROPPED", "PROBLEM"];
  return table(header, rows);
}

function beatInWords(
  { target, intervalMs, state, lastBeatAt, problem }: BeatResource,
  context: Context,
): string {
  if (target === null) return "No beat: nobody elsewhere notices when this machine is dead.";
  const last = lastBeatAt === null ? "none has arrived" : `the last ${ago(lastBeatAt, context.nowMs())}`;
  const why = problem === null ? "" : `: ${problem}`;
  return `Beat to ${target} every ${formatDuration(intervalMs)}: ${state}, ${last}${why}`;
}

async function test(context: Context, name: string): Promise<void> {
  const path = `/channels/${encodeURIComponent(name)}/test`;
  const delivery = await context.api.post<DeliveryResource>(path);
  if (delivery.state === "delivered") {
    const note = delivery.lastError === null ? "" : `, but ${delivery.lastError}`;
    return show(context, delivery, () => `${name}: delivered${note} (${delivery.id})`);
  }
  if (context.isJson) context.print(JSON.stringify(delivery, null, 2));
  throw new CliError(`${name}: ${delivery.lastError}`, EXIT.failed, "docs/guides/messages.md");
}

async function deliveries(context: Context, { channel, state, limit }: DeliveriesOptions): Promise<void> {
  const query = new URLSearchParams({
    limit: String(limit),
    ...(channel ? { channel } : {}),
    ...(state ? { state } : {}),
  });
  const page = await context.api.get<{ items: DeliveryResource[] }>(`/deliveries?${query}`);
  show(context, page, () => {
    if (page.items.length === 0) return "Nothing was sent.";
    const rows = page.items.map((each) => [
      ...[ago(each.createdAt, context.nowMs()), each.channel, each.state, String(each.attempts)],
      each.nextAttemptAt ? until(each.nextAttemptAt, context.nowMs()) : "–",
      each.suppressed === 0 ? each.title : `${each.title} (and ${each.suppressed} more)`,
      each.lastError ?? "",
    ]);
    return table(["WHEN", "CHANNEL", "STATE", "ATTEMPTS", "NEXT", "MESSAGE", "ERROR"], rows);
  });
}

async function problems(context: Context): Promise<void> {
  const page = await context.api.get<{ items: ProblemResource[] }>("/problems");
  show(context, page, () => {
    if (page.items.length === 0) return "Nothing is wrong.";
    const rows = page.items.map((each) => [ago(each.since, context.nowMs()), each.kind, each.summary]);
    return table(["SINCE", "PROBLEM", "WHAT"], rows);
  });
}
