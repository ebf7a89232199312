export type { Subscription } from "./consumer.ts";
export type { Event, EventFilter, NewEvent } from "./event.ts";
export { createEvents, type EventCounts, type Events, type EventsDependencies } from "./events.ts";
export { UNNUMBERED_CHANNEL, type Stream } from "./store.ts";
export type { Watch } from "./watch.ts";
