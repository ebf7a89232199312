import type { ReleaseDiffResource, ReleaseResource, ServiceResource } from "@mainstay/api";
import { AppError } from "@mainstay/api/plain";
import type { Context } from "./context.ts";
import { diffLine } from "./output/release-words.ts";

/** What is different in `to`. */
export function diffOf(context: Context, from: string, to: string): Promise<ReleaseDiffResource> {
  const [path, query] = [encodeURIComponent(to), encodeURIComponent(from)];
  return context.api.get<ReleaseDiffResource>(`/releases/${path}/diff?from=${query}`);
}

/** What is different from what serves; null when nothing else does. */
export async function diffFromStable(
  context: Context,
  release: Pick<ReleaseResource, "id" | "service" | "environment">,
): Promise<ReleaseDiffResource | null> {
  const { items } = await context.api.get<{ items: ServiceResource[] }>("/services");
  const service = items.find(
    (each) => each.service === release.service && each.environment === release.environment,
  );
  const stable = service?.stable?.id ?? release.id;
  return stable === release.id ? null : diffOf(context, stable, release.id);
}

/** The line before a deploy that says what is different; nothing for a first release. */
export async function printDiff(context: Context, id: string): Promise<void> {
  try {
    const release = await context.api.get<ReleaseResource>(`/releases/${encodeURIComponent(id)}`);
    const diff = await diffFromStable(context, release);
    if (diff) context.print(`changes   ${diffLine(diff)}`);
  } catch (error) {
    // It is there to be looked at: what keeps it from being
    // told does not keep the release from being shipped.
    if (!(error instanceof AppError)) throw error;
  }
}
