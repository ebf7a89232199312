import type { ChangeResource } from "@mainstay/api";
import { isFinal } from "@mainstay/api/plain";
import type { Context } from "../context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { watchChange, type WatchItem } from "../watch-change.ts";
import { entryLine, outcomeLine, statusLine } from "../output/change-words.ts";

export interface FollowOptions {
  /** Return as soon as all traffic is on the candidate instead of waiting until the old release is gone. */
  untilBaking: boolean;
  /** With --json: a line for every step instead of one document at the end. */
  isStreaming: boolean;
  timeoutMs: number | null;
}

/**
 * Follows a change to its end, over restarts of the server.
 * Throws (exit 1) when it does not succeed, 5 on time-out.
 */
export async function followChange(context: Context, id: string, options: FollowOptions): Promise<void> {
  const change = await awaitChange(context, id, options);
  if (context.isJson && !options.isStreaming) context.print(JSON.stringify(change, null, 2));
  mustBeGood(context, change);
}

/** As followChange, with the change as it then is, whatever became of it, and nothing said of its end. */
export async function awaitChange(
  context: Context,
  id: string,
  options: FollowOptions,
): Promise<ChangeResource> {
  const signal = options.timeoutMs === null ? undefined : AbortSignal.timeout(options.timeoutMs);
  try {
    return await watchChange(context.api, {
      id,
      signal,
      isDone: (each) => isDone(each, options),
      onItem: (item) => report(context, item, options),
    });
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new CliError(
      `change ${id} did not end in time`,
      EXIT.timedOut,
      `It goes on: mainstay change watch ${id}`,
    );
  } finally {
    context.status("");
  }
}

function isDone(change: ChangeResource, { untilBaking }: FollowOptions): boolean {
  return isFinal(change.state) || (untilBaking && change.state === "baking");
}

function report(context: Context, item: WatchItem, { isStreaming }: FollowOptions): void {
  if (context.isJson) return isStreaming ? context.print(JSON.stringify(item)) : undefined;
  for (const entry of item.entries) context.print(entryLine(entry, item.change.stages));
  context.status(statusLine(item.change, context.nowMs()));
}

/** Says how a change has ended. Throws (exit 1) when it does not serve. */
export function mustBeGood(context: Context, change: ChangeResource): void {
  const isGood = change.state === "succeeded" || change.state === "baking";
  if (!isGood)
    throw new CliError(
      outcomeLine(change),
      EXIT.failed,
      `mainstay change show ${change.id} has the evidence`,
    );
  if (!context.isJson) context.print(outcomeLine({ ...change, state: "succeeded" }));
}
