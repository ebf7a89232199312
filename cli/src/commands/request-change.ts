import type { ChangeResource, PreviewResource } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { durationOption, listOption } from "../options.ts";
import { awaitedWords } from "../output/approval-words.ts";
import { followChange } from "./follow.ts";

/** How a change is asked for, whatever it is about. */
export interface RequestOptions {
  force: string[];
  overrideFreeze?: string;
  overrideApproval?: string;
  waitForLock: boolean;
  supersede: boolean;
  reason?: string;
  timeout?: number;
}

export interface Wish {
  kind: string;
  candidate: string;
  /** Whose candidate it is, for kinds whose candidates do not say so. */
  service?: string;
  environment?: string;
  immediate: boolean;
  reason: string | null;
  queue: boolean;
  supersede: boolean;
  force?: string[];
  overrideFreeze?: string;
  overrideApproval?: string;
}

/** The options of every command that requests a change. */
export function addRequestOptions(command: Command): Command {
  return command
    .option("--force <code>", "go on in spite of a forceable finding (repeatable; audited)", listOption, [])
    .option("--override-freeze <why>", "go on in spite of a freeze window (audited)")
    .option("--override-approval <why>", "go on without the approvals it would need (audited)")
    .option("--wait-for-lock", "wait in order behind a change under way instead of being refused", false)
    .option("--supersede", "as --wait-for-lock, and take the place of those that wait already", false)
    .option("--reason <text>", "for the timeline and the audit log")
    .option("--timeout <duration>", "stop waiting after this long (the change goes on)", durationOption);
}

type Subject = Pick<Wish, "kind" | "candidate" | "service" | "environment">;

/** What a change is about, with how it is asked for. */
export function wishFor(subject: Subject, options: RequestOptions & { immediate?: boolean }): Wish {
  const { immediate = false, reason = null, force, overrideFreeze, overrideApproval } = options;
  const { waitForLock: queue, supersede } = options;
  return {
    ...{ ...subject, immediate, reason, queue, supersede },
    ...(force.length > 0 ? { force } : {}),
    ...(overrideFreeze === undefined ? {} : { overrideFreeze }),
    ...(overrideApproval === undefined ? {} : { overrideApproval }),
  };
}

export function previewChange(context: Context, wish: Wish): Promise<PreviewResource> {
  return context.api.post<PreviewResource>("/changes/preview", wish);
}

/** What goes on in spite of findings needs a permission of its own, hence a route of its own. */
export function requestChange(context: Context, wish: Wish): Promise<ChangeResource> {
  const { force, overrideFreeze, overrideApproval } = wish;
  const isForced = [force, overrideFreeze, overrideApproval].some((each) => each !== undefined);
  return context.api.post<ChangeResource>(isForced ? "/changes/forced" : "/changes", wish);
}

/** Requests a change and follows it until it has the traffic, or is undone (exit 1). */
export async function requestAndFollow(
  context: Context,
  wish: Wish,
  {
    detach = false,
    watch = false,
    timeout,
  }: { detach?: boolean; watch?: boolean; timeout?: number | undefined },
): Promise<void> {
  const change = await requestChange(context, wish);
  if (!context.isJson) for (const line of waitingLines(change)) context.print(line);
  if (detach)
    return show(context, change, () => `${change.id} requested; mainstay change watch ${change.id}`);
  if (!context.isJson) context.print(`change    ${change.id}`);
  const timeoutMs = timeout ?? null;
  await followChange(context, change.id, { untilBaking: true, isStreaming: watch, timeoutMs });
}

function waitingLines(change: ChangeResource): string[] {
  const awaited = awaitedWords(change);
  if (awaited === null) return [];
  const until = change.approvalExpiresAt === null ? "" : `, at most until ${change.approvalExpiresAt}`;
  return [
    `waits     for approval by ${awaited}${until}`,
    `          mainstay change show ${change.id}, then mainstay change approve ${change.id}`,
  ];
}
