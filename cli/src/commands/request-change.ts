import type { ChangeResource, PreviewResource } from "@mainstay/api";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { listOption } from "../options.ts";

/** How a change is asked for, whatever it is about. */
export interface RequestOptions {
  force: string[];
  overrideFreeze?: string;
  waitForLock: boolean;
  supersede: boolean;
  reason?: string;
}

export interface Wish {
  kind: string;
  candidate: string;
  immediate: boolean;
  reason: string | null;
  queue: boolean;
  supersede: boolean;
  force?: string[];
  overrideFreeze?: string;
}

/** The options of every command that requests a change. */
export function addRequestOptions(command: Command): Command {
  return command
    .option("--force <code>", "go on in spite of a forceable finding (repeatable; audited)", listOption, [])
    .option("--override-freeze <why>", "go on in spite of a freeze window (audited)")
    .option("--wait-for-lock", "wait in order behind a change under way instead of being refused", false)
    .option("--supersede", "as --wait-for-lock, and take the place of those that wait already", false)
    .option("--reason <text>", "for the timeline and the audit log");
}

/** A release as the wish of a change. */
export function wishFor(candidate: string, options: RequestOptions & { immediate: boolean }): Wish {
  const { immediate, reason = null, force, overrideFreeze, waitForLock: queue, supersede } = options;
  return {
    ...{ kind: "release", candidate, immediate, reason, queue, supersede },
    ...(force.length > 0 ? { force } : {}),
    ...(overrideFreeze === undefined ? {} : { overrideFreeze }),
  };
}

export function previewChange(context: Context, wish: Wish): Promise<PreviewResource> {
  return context.api.post<PreviewResource>("/changes/preview", wish);
}

/** What goes on in spite of findings needs a permission of its own, hence a route of its own. */
export function requestChange(context: Context, wish: Wish): Promise<ChangeResource> {
  const isForced = wish.force !== undefined || wish.overrideFreeze !== undefined;
  return context.api.post<ChangeResource>(isForced ? "/changes/forced" : "/changes", wish);
}
