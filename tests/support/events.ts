import { randomBytes } from "node:crypto";
import { createSystemClock, type Clock } from "../../server/src/kernel/clock.ts";
import type { DatabaseHandle } from "../../server/src/kernel/database/index.ts";
import {
  createEvents,
  type Events,
  type NewEvent,
  type Stream,
} from "../../server/src/kernel/events/index.ts";
import { createIds } from "../../server/src/kernel/ids.ts";
import type { Log } from "../../server/src/kernel/log.ts";
import { createMetrics } from "../../server/src/kernel/metrics.ts";
import { silentLog } from "./log.ts";

export interface TestEvents extends Events {
  /** Emits one event in a transaction of its own. */
  tell(event: NewEvent): Promise<void>;
  metrics(): Promise<string>;
}

/** The events of one server on the given database, not started. */
export function createTestEvents(
  database: DatabaseHandle,
  {
    clock = createSystemClock(),
    log = silentLog,
    streams = [],
  }: { clock?: Clock; log?: Log; streams?: Stream[] } = {},
): TestEvents {
  const ids = createIds({ clock, random: randomBytes });
  const metrics = createMetrics({ clock, log });
  const events = createEvents({ database, clock, ids, log, metrics, source: "mainstay/test", streams });
  return {
    ...events,
    tell: (event) => database.db.transaction().execute((tx) => events.emit(tx, event)),
    metrics: metrics.render,
  };
}

/** Collects what is added until there are `count` items. */
export function createCollector<Item>(count: number): {
  items: Item[];
  add(item: Item): void;
  full: Promise<void>;
} {
  const items: Item[] = [];
  const { promise: full, resolve } = Promise.withResolvers<void>();
  return {
    items,
    full,
    add(item) {
      items.push(item);
      if (items.length === count) resolve();
    },
  };
}
