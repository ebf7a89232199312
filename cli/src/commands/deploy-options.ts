import type { PreviewResource, ReleaseResource } from "@mainstay/api";
import type { Context } from "../context.ts";
import { findingLines } from "../output/finding-words.ts";
import { table } from "../output/table.ts";
import { registerRelease } from "../upload/register-release.ts";
import type { RequestOptions } from "./request-change.ts";

export interface DeployOptions extends RequestOptions {
  file: string;
  environment?: string;
  env: Record<string, string>;
  upload: boolean;
  rebuild: boolean;
  signature?: string;
  release?: string;
  immediate: boolean;
  check: boolean;
  detach: boolean;
  watch: boolean;
}

/** Makes a release of a directory, and says which. */
export async function register(
  context: Context,
  directory: string,
  options: DeployOptions,
): Promise<ReleaseResource> {
  const { file, environment, env, signature, rebuild, upload: isSent } = options;
  if (!context.isJson && context.server.remote !== null)
    context.print(`server    ${context.server.remote}, ${context.server.url}`);
  const release = await registerRelease(context, directory, {
    ...{ file, environment, env, signature, rebuild, isSent },
  });
  const version = release.version ? ` (version ${release.version})` : "";
  context.status("");
  if (!context.isJson) context.print(`release   ${release.id}${version}  ${release.digest}`);
  return release;
}

/** What a change would do, and what speaks against it. */
export function planWords({ change, findings }: PreviewResource): string {
  const steps = change.steps.map((step) => [step.state, step.driver, step.title]);
  const verdict =
    findings.length === 0 ? ["Nothing speaks against it."] : ["Findings:", ...findingLines(findings)];
  return [table(["STATE", "DRIVER", "STEP"], steps), "", ...verdict].join("\n");
}
