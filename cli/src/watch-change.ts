import { setTimeout as delay } from "node:timers/promises";
import type { ChangeResource, TimelineEntry } from "@mainstay/api";
import type { ApiClient } from "./api-client.ts";

/** What `GET /changes/<id>/watch` sends: the change, and its timeline entries since the item before. */
export interface WatchItem {
  change: ChangeResource;
  entries: TimelineEntry[];
}

export interface Watch {
  id: string;
  signal: AbortSignal | undefined;
  isDone(change: ChangeResource): boolean;
  onItem(item: WatchItem): void | Promise<void>;
}

const RECONNECT_MS = 250;

/** Follows a change until it is done, over every restart of the server; throws when the signal aborts. */
export async function watchChange(api: ApiClient, watch: Watch): Promise<ChangeResource> {
  const known = { seq: -1 };
  for (;;) {
    try {
      const done = await watchConnection(api, watch, known);
      if (done) return done;
    } catch (error) {
      if (watch.signal?.aborted || !isCutOff(error)) throw error;
    }
    // The server went away in the middle; it comes back and the change goes on.
    await delay(RECONNECT_MS);
  }
}

/** The change when it is done, null when the connection ended before. */
async function watchConnection(
  api: ApiClient,
  watch: Watch,
  known: { seq: number },
): Promise<ChangeResource | null> {
  const path = `/changes/${watch.id}/watch?after=${known.seq}`;
  for await (const item of api.stream<WatchItem>(path, watch.signal)) {
    known.seq = item.entries.at(-1)?.seq ?? known.seq;
    await watch.onItem(item);
    if (watch.isDone(item.change)) return item.change;
  }
  return null;
}

/** fetch reports a connection that broke while the body was read as a TypeError. */
function isCutOff(error: unknown): boolean {
  return error instanceof TypeError;
}
