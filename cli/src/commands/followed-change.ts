import type { ChangeResource } from "@mainstay/api";
import type { Command } from "commander";
import { show, type Context } from "../context.ts";
import { durationOption } from "../options.ts";
import { followChange } from "./follow.ts";

export interface FollowedOptions {
  environment: string;
  detach: boolean;
  timeout?: number;
  reason?: string;
}

/** The options of every command that requests a change and follows it. */
export function withFollowing(command: Command): Command {
  return command
    .option("--environment <name>", "of the service", "production")
    .option("--detach", "request the change and return", false)
    .option("--timeout <duration>", "stop waiting after this long (the change goes on)", durationOption)
    .option("--reason <text>", "for the timeline and the audit log");
}

export interface ChangeWish {
  kind: "setting" | "scale";
  candidate: string;
  service: string;
}

/** Requests a change and follows it until it has the traffic, or is undone (exit 1). */
export async function requestChange(
  context: Context,
  wish: ChangeWish,
  { environment, detach, timeout, reason }: FollowedOptions,
): Promise<void> {
  const body = { ...wish, environment, reason: reason ?? null };
  const change = await context.api.post<ChangeResource>("/changes", body);
  if (detach)
    return show(context, change, () => `${change.id} requested; mainstay change watch ${change.id}`);
  if (!context.isJson) context.print(`change    ${change.id}`);
  await followChange(context, change.id, {
    untilBaking: true,
    isStreaming: false,
    timeoutMs: timeout ?? null,
  });
}
