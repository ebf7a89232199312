import {
  sortByDependencies,
  type ChangeResource,
  type PreviewResource,
  type ReleaseResource,
} from "@mainstay/api";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";
import { stoppingCount } from "../output/finding-words.ts";
import { planWords, register, type DeployOptions } from "./deploy-options.ts";
import { awaitChange, mustBeGood } from "./follow.ts";
import { previewChange, requestChange, wishFor } from "./request-change.ts";

/** One of several, in its place. */
interface Placed {
  name: string;
  dependsOn: string[];
  release: ReleaseResource;
}

/**
 * Brings in several services, each behind those it depends on: all are registered first, and the next begins
 * when the one before has the traffic. One that does not get there ends it.
 */
export async function deploySeveral(
  context: Context,
  directories: string[],
  options: DeployOptions,
): Promise<void> {
  refuseWhatIsOfOne(options);
  const releases: ReleaseResource[] = [];
  for (const each of directories) releases.push(await register(context, each, options));
  const order = orderOf(releases);
  if (!context.isJson) context.print(`order     ${order.map(shown).join(" → ")}`);
  if (options.check) return showPlans(context, order, options);
  await bringIn(context, order, options);
}

function refuseWhatIsOfOne({ release, signature, detach, watch }: DeployOptions): void {
  const given = { "--release": release, "--signature": signature, "--detach": detach, "--watch": watch };
  const name = Object.entries(given).find(([, value]) => value !== undefined && value !== false)?.[0];
  if (name) throw new CliError(`${name} is for one directory`, EXIT.usage, "Deploy them one by one.");
}

function orderOf(releases: ReleaseResource[]): Placed[] {
  const placed = releases.map((release): Placed => {
    const { service, environment, dependsOn } = release;
    const inEnvironment = (name: string) => `${environment}/${name}`;
    return { name: inEnvironment(service), dependsOn: dependsOn.map(inEnvironment), release };
  });
  const names = placed.map((each) => each.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new CliError(`two of the directories are ${twice}`, EXIT.usage);
  const { order, circle } = sortByDependencies(placed);
  if (order) return order;
  throw new CliError(
    `they depend on each other in a circle: ${circle.join(" → ")}`,
    EXIT.usage,
    "Take one of them out of dependsOn: each must be able to serve before the next one.",
  );
}

async function showPlans(context: Context, order: Placed[], options: DeployOptions): Promise<void> {
  const plans: PreviewResource[] = [];
  for (const [index, { release }] of order.entries()) {
    const preview = await previewChange(
      context,
      wishFor({ kind: "release", candidate: release.id }, options),
    );
    // What comes before it in the order has the traffic by then.
    const before = new Set(order.slice(0, index).map((each) => each.release.service));
    const findings = preview.findings.filter(({ about }) => about === undefined || !before.has(about));
    plans.push({ ...preview, findings });
  }
  if (context.isJson) context.print(JSON.stringify({ order: order.map(summary), plans }, null, 2));
  else
    for (const [index, plan] of plans.entries())
      context.print(`\n${headOf(order, index)}\n${planWords(plan)}`);
  const count = stoppingCount(plans.flatMap((each) => each.findings));
  if (count > 0) throw new CliError(`${count} findings speak against these changes`, EXIT.failed);
}

async function bringIn(context: Context, order: Placed[], options: DeployOptions): Promise<void> {
  const changes: ChangeResource[] = [];
  let begun = 0;
  try {
    for (const { release } of order) {
      if (!context.isJson) context.print(`\n${headOf(order, begun)}`);
      const change = await requestChange(
        context,
        wishFor({ kind: "release", candidate: release.id }, options),
      );
      begun += 1;
      if (!context.isJson) context.print(`change    ${change.id}`);
      const follow = { untilBaking: true, isStreaming: false, timeoutMs: options.timeout ?? null };
      changes.push(await awaitChange(context, change.id, follow));
      mustBeGood(context, changes.at(-1) ?? change);
    }
  } finally {
    const notBegun = order.slice(begun);
    const document = { order: order.map(summary), changes, notBegun: notBegun.map(summary) };
    if (context.isJson) context.print(JSON.stringify(document, null, 2));
    else if (notBegun.length > 0) context.print(`not begun ${notBegun.map(shown).join(", ")}`);
  }
}

function headOf(order: Placed[], index: number): string {
  const each = order[index];
  return `${index + 1} of ${order.length}    ${each ? shown(each) : ""}`;
}

function shown({ release }: Placed): string {
  return `${release.service} (${release.environment})`;
}

function summary({ release }: Placed) {
  const { id, service, environment, dependsOn } = release;
  return { service, environment, release: id, dependsOn };
}
