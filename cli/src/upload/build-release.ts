import { setTimeout as delay } from "node:timers/promises";
import type { BuildResource, ReleaseResource } from "@mainstay/api";
import { AppError, formatDuration } from "@mainstay/api/plain";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";

const LOOK_MS = 200;
const LAST_LINES = 20;

/** Has the server build a release, and shows what the build writes. Ctrl-C ends it. */
export async function buildRelease(
  context: Context,
  wish: Record<string, unknown>,
): Promise<ReleaseResource> {
  const asked = await context.api.post<BuildResource>("/builds", wish);
  const stop = () => void context.api.post(`/builds/${asked.id}/stop`).catch(() => undefined);
  process.once("SIGINT", stop);
  try {
    const build = asked.finishedAt === null ? await follow(context, asked) : asked;
    if (build.release === null) throw vain(build);
    if (!context.isJson) context.print(`build     ${build.id}  ${madeBy(build)}`);
    return await context.api.get<ReleaseResource>(`/releases/${build.release}`);
  } finally {
    process.off("SIGINT", stop);
  }
}

async function follow(context: Context, asked: BuildResource): Promise<BuildResource> {
  if (!context.isJson) context.print(`building  ${asked.id}  ${asked.command}`);
  let isShown = context.isJson;
  for (;;) {
    const build = await context.api.get<BuildResource>(`/builds/${asked.id}`);
    if (build.finishedAt !== null) return build;
    if (build.state === "waiting") context.status("waiting for another build to end …");
    else isShown ||= await showOutput(context, build.id);
    await delay(LOOK_MS);
  }
}

/** Shows the output until the build ends; false when it has not really begun yet. */
async function showOutput(context: Context, id: string): Promise<boolean> {
  try {
    const lines = context.api.stream<{ line: string }>(`/builds/${id}/output`);
    for await (const { line } of lines) context.print(`  ${line}`);
  } catch (error) {
    if (error instanceof AppError && error.code === "NOT_FOUND") return false;
    // fetch reports a connection that broke while the body was read as a TypeError.
    if (!(error instanceof TypeError)) throw error;
    context.print(`  (the output broke off; mainstay builds show ${id} has it)`);
  }
  return true;
}

function madeBy({ reuses, startedAt, finishedAt }: BuildResource): string {
  if (reuses !== null) return `the same source was built before (${reuses}); --rebuild builds it again`;
  const tookMs = Date.parse(finishedAt ?? "") - Date.parse(startedAt ?? "");
  return `built in ${formatDuration(Math.round(tookMs / 1000) * 1000)}`;
}

function vain({ id, state, reason, output }: BuildResource): CliError {
  const last = output.split("\n").slice(-LAST_LINES);
  const said = output === "" ? [] : ["its last lines:", ...last.map((line) => `  ${line}`)];
  const message = [`the build ${id} ${state}: ${reason}`, ...said].join("\n");
  return new CliError(message, EXIT.failed, "Nothing was registered, and what serves goes on as before.");
}
