import type { Clock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import { NUMBERED_CHANNEL } from "../../kernel/events/index.ts";
import { createWake } from "../../kernel/wake.ts";
import type { Audit } from "./audit.ts";
import type { AuditEntry } from "./entry.ts";
import type { AuditFilter } from "./store.ts";

interface Reading {
  audit: Audit;
  filter: AuditFilter;
  /** The index before the first. */
  after: number;
  upTo: number;
  signal: AbortSignal;
}

const PAGE_ENTRIES = 500;
/** Only a safety net: notifications wake a reader. */
const LOOK_MS = 30_000;

/** Entries that have an index, page by page: a slow reader slows it down. */
export async function* readEntries({ audit, filter, after, upTo, signal }: Reading) {
  for (let from = after; !signal.aborted;) {
    const page = await audit.after(from, filter, PAGE_ENTRIES);
    for (const each of page) {
      if (signal.aborted || (each.entry.index ?? 0) > upTo) return;
      yield each;
    }
    from = page.at(-1)?.entry.index ?? from;
    if (page.length < PAGE_ENTRIES) return;
  }
}

interface Following extends Omit<Reading, "after" | "upTo"> {
  after: number | undefined;
  listen: DatabaseHandle["listen"];
  clock: Clock;
}

/** Entries as they get their index, until the signal aborts. */
export async function* followEntries(following: Following): AsyncGenerator<AuditEntry> {
  const { audit, filter, listen, clock, signal } = following;
  const wake = createWake(clock);
  const stopListening = await listen(NUMBERED_CHANNEL, wake.ring);
  try {
    let after = following.after ?? (await newestIndex(audit));
    while (!signal.aborted) {
      for await (const { entry } of readEntries({
        audit,
        filter,
        after,
        upTo: Number.MAX_SAFE_INTEGER,
        signal,
      })) {
        after = entry.index ?? after;
        yield entry;
      }
      await wake.sleep(LOOK_MS, signal);
    }
  } finally {
    await stopListening();
  }
}

/** Entries that are about to get their index count as new. */
async function newestIndex(audit: Audit): Promise<number> {
  const { entries } = await audit.list({ limit: 100 });
  return entries.find(({ index }) => index !== null)?.index ?? 0;
}
