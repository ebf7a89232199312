import type { EventData, EventType, ObservedState } from "@mainstay/api";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Log } from "../../kernel/log.ts";
import { instanceEvents } from "./instance-events.ts";
import { reasonOf } from "../../kernel/reason-of.ts";

export interface TellerDependencies {
  db: Database;
  events: TypedEvents;
  log: Log;
}

/** Turns what the agent says, and its silence, into events. */
export function createTeller({ db, events, log }: TellerDependencies) {
  let isConnected: boolean | null = null;
  let queue: Promise<void> = Promise.resolve();

  /** In order, and never in the way of whoever reported: an event that cannot be written is logged. */
  function emit<Type extends EventType>(event: { type: Type; subject: string; data: EventData<Type> }): void {
    queue = write(event, queue);
  }

  async function write<Type extends EventType>(
    event: { type: Type; subject: string; data: EventData<Type> },
    before: Promise<void>,
  ): Promise<void> {
    await before;
    try {
      await db.transaction().execute((tx) => events.emit(tx, event));
    } catch (error) {
      log.error({ error, type: event.type, subject: event.subject }, "an event could not be written");
    }
  }

  return {
    heard(before: ObservedState | null, after: ObservedState): void {
      if (isConnected !== true)
        emit({ type: "agent.connected", subject: "agent", data: { bootId: after.bootId } });
      isConnected = true;
      for (const event of instanceEvents(before, after)) emit(event);
    },
    lost(error: unknown): void {
      if (isConnected !== true) return;
      isConnected = false;
      const reason = reasonOf(error);
      emit({ type: "agent.lost", subject: "agent", data: { reason } });
    },
    done: () => queue,
  };
}
