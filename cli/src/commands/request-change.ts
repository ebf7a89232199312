import type { ChangeResource, PreviewResource } from "@mainstay/api";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { listOption } from "../options.ts";

/** How a change is asked for, whatever it is about. */
export interface RequestOptions {
  force: string[];
  reason?: string;
}

export interface Wish {
  kind: string;
  candidate: string;
  immediate: boolean;
  reason: string | null;
  force?: string[];
}

/** The options of every command that requests a change. */
export function addRequestOptions(command: Command): Command {
  return command
    .option("--force <code>", "go on in spite of a forceable finding (repeatable; audited)", listOption, [])
    .option("--reason <text>", "for the timeline and the audit log");
}

/** A release as the wish of a change. */
export function wishFor(candidate: string, options: RequestOptions & { immediate: boolean }): Wish {
  const { immediate, reason = null, force } = options;
  return { kind: "release", candidate, immediate, reason, ...(force.length > 0 ? { force } : {}) };
}

export function previewChange(context: Context, wish: Wish): Promise<PreviewResource> {
  return context.api.post<PreviewResource>("/changes/preview", wish);
}

/** What goes on in spite of findings needs a permission of its own, hence a route of its own. */
export function requestChange(context: Context, wish: Wish): Promise<ChangeResource> {
  return context.api.post<ChangeResource>(wish.force ? "/changes/forced" : "/changes", wish);
}
