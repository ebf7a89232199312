import type { Command } from "commander";
import { addRequestOptions, type RequestOptions } from "./request-change.ts";

export interface FollowedOptions extends RequestOptions {
  environment: string;
  detach: boolean;
}

/** The options of a command that alters a service which serves, by a change that is followed. */
export function withFollowing(command: Command): Command {
  return addRequestOptions(command)
    .option("--environment <name>", "of the service", "production")
    .option("--detach", "request the change and return", false);
}
