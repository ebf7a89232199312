import type { EventData, EventType } from "@mainstay/api";
import type { Tx } from "../database/index.ts";

/** How rooms tell of what happened: only events of the catalogue, each with the data that it promises. */
export interface TypedEvents {
  emit<Type extends EventType>(
    tx: Tx,
    event: { type: Type; subject: string; data: EventData<Type> },
  ): Promise<void>;
}
