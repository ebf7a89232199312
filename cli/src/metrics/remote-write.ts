import type { RemoteWriteResource } from "@mainstay/api";
import { formatDuration, formatSize } from "@mainstay/api/plain";
import { show, type Context } from "../context.ts";
import { table } from "../output/table.ts";

/** `mainstay metrics remote-write`: where samples are sent on to, and how that goes. */
export async function remoteWrites(context: Context): Promise<void> {
  const found = await context.api.get<{ items: RemoteWriteResource[] }>("/metrics/remote-write");
  show(context, found, () => describeRemoteWrites(found.items));
}

/** A table, and below it what is wrong. */
export function describeRemoteWrites(remotes: readonly RemoteWriteResource[]): string {
  if (remotes.length === 0) return "Samples are sent nowhere; docs/guides/remote-write.md says how.";
  const header = ["NAME", "STATE", "VERSION", "SENT", "FAILED", "DROPPED", "BACKLOG", "BEHIND", "URL"];
  return [table(header, remotes.map(rowOf)), ...remotes.flatMap(notesOf)].join("\n");
}

function rowOf(remote: RemoteWriteResource): string[] {
  const { behindSeconds, protocol } = remote;
  return [
    ...[remote.name, remote.state, protocol === null ? "–" : `${protocol}.0`, String(remote.sentSamples)],
    ...[sumOf(remote.failedSamples), sumOf(remote.droppedSamples), formatSize(remote.backlogBytes)],
    behindWords(behindSeconds),
    remote.url,
  ];
}

function behindWords(seconds: number | null): string {
  if (seconds === null) return "–";
  return seconds < 1 ? "0s" : formatDuration(Math.round(seconds) * 1000);
}

function sumOf(counts: Readonly<Record<string, number>>): string {
  return String(Object.values(counts).reduce((sum, count) => sum + count, 0));
}

/** Why it fails, what was refused first, and what was dropped. */
function notesOf({
  name,
  failingSince,
  lastError,
  firstRefusal,
  droppedSamples,
}: RemoteWriteResource): string[] {
  const dropped = Object.entries(droppedSamples).map(([reason, count]) => `${count} (${reason})`);
  return [
    ...(failingSince === null ? [] : [`${name}: failing since ${failingSince}: ${lastError}`]),
    ...(firstRefusal === null
      ? []
      : [`${name}: refused first at ${firstRefusal.at}: ${firstRefusal.message}`]),
    ...(dropped.length === 0 ? [] : [`${name}: not sent: ${dropped.join(", ")}`]),
  ];
}
