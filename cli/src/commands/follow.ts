import { setTimeout as delay } from "node:timers/promises";
import { isFinal, type ChangeResource, type TimelineEntry } from "@mainstay/api";
import type { Context } from "../context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { entryLine, outcomeLine, statusLine } from "../output/change-words.ts";

/** What `GET /changes/<id>/watch` sends: the change as it is, and the timeline entries since the last item. */
export interface WatchItem {
  change: ChangeResource;
  entries: TimelineEntry[];
}

export interface FollowOptions {
  /** Return as soon as all traffic is on the candidate instead of waiting until the old release is gone. */
  untilBaking: boolean;
  timeoutMs: number | null;
}

const RECONNECT_MS = 250;

/** Follows a change to its end, over restarts of the server. Throws (exit 1) when it does not succeed, 5 on time-out. */
export async function followChange(context: Context, id: string, options: FollowOptions): Promise<ChangeResource> {
  const signal = options.timeoutMs === null ? undefined : AbortSignal.timeout(options.timeoutMs);
  try {
    const change = await followUntil(context, id, { signal, isDone: (each) => isDone(each, options) });
    return finish(context, change);
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new CliError(`change ${id} did not end in time`, EXIT.timedOut, `It goes on: mainstay change watch ${id}`);
  }
}

function isDone(change: ChangeResource, { untilBaking }: FollowOptions): boolean {
  return isFinal(change.state) || (untilBaking && change.state === "baking");
}

interface FollowTask {
  signal: AbortSignal | undefined;
  isDone(change: ChangeResource): boolean;
}

async function followUntil(context: Context, id: string, task: FollowTask): Promise<ChangeResource> {
  let after = -1;
  for (;;) {
    const path = `/changes/${id}/watch?after=${after}`;
    try {
      for await (const item of context.api.stream<WatchItem>(path, task.signal)) {
        report(context, item);
        after = item.entries.at(-1)?.seq ?? after;
        if (task.isDone(item.change)) return item.change;
      }
    } catch (error) {
      if (task.signal?.aborted || !isCutOff(error)) throw error;
    }
    // The server went away in the middle; it comes back and the change goes on.
    await delay(RECONNECT_MS);
  }
}

/** fetch reports a connection that broke while the body was read as a TypeError. */
function isCutOff(error: unknown): boolean {
  return error instanceof TypeError;
}

function report(context: Context, item: WatchItem): void {
  if (context.isJson) return context.print(JSON.stringify(item));
  for (const entry of item.entries) context.print(entryLine(entry, item.change.stages));
  context.status(statusLine(item.change, context.nowMs()));
}

function finish(context: Context, change: ChangeResource): ChangeResource {
  context.status("");
  const isGood = change.state === "succeeded" || change.state === "baking";
  if (!isGood) throw new CliError(outcomeLine(change), EXIT.failed, `mainstay change show ${change.id} has the evidence`);
  if (!context.isJson) context.print(outcomeLine({ ...change, state: "succeeded" }));
  return change;
}
