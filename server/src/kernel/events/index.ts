export type { Subscription } from "./consumer.ts";
export type { Event, EventFilter, NewEvent } from "./event.ts";
export { createEvents, type Events, type EventsDependencies, type ParkedEvent } from "./events.ts";
export { leadInTurn } from "./leader.ts";
export type { Stream } from "./sequencer.ts";
export { NUMBERED_CHANNEL, UNNUMBERED_CHANNEL } from "./store.ts";
export type { Watch } from "./watch.ts";
export type { TypedEvents } from "./typed-events.ts";
