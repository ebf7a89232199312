import { checkEvent, type Event } from "./event.ts";
import type { Subscription } from "./consumer.ts";
import type { Events } from "./events.ts";

export interface FakeEvents extends Events {
  /** Everything that was emitted, numbered. */
  emitted: Event[];
  /** Hands to the subscribers what they have not had yet; resolves when they are done. */
  deliver(): Promise<void>;
}

/** In-memory twin of the events for the tests of other rooms: every transaction counts as committed. */
export function createFakeEvents(): FakeEvents {
  const emitted: Event[] = [];
  const subscriptions: { subscription: Subscription; position: number }[] = [];

  return {
    name: "events",
    emitted,
    async emit(_, event) {
      const { channel } = checkEvent(event);
      const position = emitted.length + 1;
      const seq = emitted.filter((each) => each.channel === channel).length + 1;
      const { type, subject, data } = event;
      const time = new Date(0).toISOString();
      emitted.push({
        id: `evt_${position}`,
        source: "fake",
        type,
        subject,
        time,
        data,
        channel,
        seq,
        position,
      });
    },
    subscribe: (subscription) => void subscriptions.push({ subscription, position: emitted.length }),
    async deliver() {
      for (const each of subscriptions) {
        for (const event of emitted.slice(each.position)) {
          each.position = event.position;
          if (isWanted(event, each.subscription)) await each.subscription.handle(event, AbortSignal.any([]));
        }
      }
    },
    async *watch({ after = emitted.length, ...filter }) {
      yield* emitted.slice(after).filter((event) => isWanted(event, filter));
    },
    parked: async () => [],
    retryParked: async () => 0,
    prune: async () => 0,
    start: async () => {},
    stop: async () => {},
  };
}

function isWanted(
  event: Event,
  { channels, types, subject }: Pick<Subscription, "channels" | "types" | "subject">,
) {
  const isChannel = channels === undefined || channels.includes(event.channel);
  const isType = types === undefined || types.includes(event.type);
  return isChannel && isType && (subject === undefined || subject === event.subject);
}
