import type { ChangeResource, TimelineEntry } from "@mainstay/api";
import { isFinal } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import { createWake } from "../../kernel/wake.ts";
import type { Changes } from "./changes.ts";
import { toChange, toEntry } from "./resources.ts";

/** A watcher hears at least this often, so that a broken connection is noticed. */
const QUIET_MS = 10_000;

export interface WatchItem {
  change: ChangeResource;
  /** Timeline entries since the item before. */
  entries: TimelineEntry[];
}

export interface WatchDependencies {
  changes: Changes;
  clock: Clock;
  listen(onNews: (id: string) => void): Promise<() => Promise<void>>;
}

/** A change as it moves: one item now, one at every transition and evaluation, the last when it has ended. */
export function createWatch({ changes, clock, listen }: WatchDependencies) {
  return async function* watch(id: string, after: number, signal: AbortSignal): AsyncIterable<WatchItem> {
    const wake = createWake(clock);
    const end = await listen((changed) => {
      if (changed === id || changed === "") wake.ring();
    });
    try {
      let seen = after;
      while (!signal.aborted) {
        // The row first: an entry that is written in between is then shown a little early, never too late.
        const row = await changes.change(id);
        const entries = (await changes.timeline(id)).filter((entry) => entry.seq > seen).map(toEntry);
        seen = entries.at(-1)?.seq ?? seen;
        yield { change: toChange(row), entries };
        if (isFinal(row.state)) return;
        await wake.sleep(QUIET_MS, signal);
      }
    } finally {
      await end();
    }
  };
}
