const TICK_MS = 100;

/** A request that waits for an instance. */
export interface Waiting {
  /** When it gives up. */
  readonly untilMs: number;
  /** Tries again; may enter anew when that fails too. */
  retry(): void;
  expire(): void;
}

export interface WaitingRoom {
  /** False when the room is full: the request is to be answered now. */
  enter(service: string, waiting: Waiting): boolean;
  leave(service: string, waiting: Waiting): void;
  /** An instance of the service took a connection: everybody tries again. */
  open(service: string): void;
}

interface WaitingRoomOptions {
  limit: number;
  nowMs: () => number;
}

/**
 * Keeps requests while no instance of their service can be reached. One of them tries ten times a second,
 * so that an instance that is about to listen is not run over; when that one gets through, all follow.
 */
export function createWaitingRoom({ limit, nowMs }: WaitingRoomOptions): WaitingRoom {
  const queues = new Map<string, Set<Waiting>>();
  let count = 0;
  let timer: NodeJS.Timeout | null = null;

  function remove(service: string, waiting: Waiting): void {
    const queue = queues.get(service);
    if (!queue?.delete(waiting)) return;
    count -= 1;
    if (queue.size === 0) queues.delete(service);
    if (count > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
  }

  function tick(): void {
    // Of those there are now: one that waits alone leaves and comes back, and would be met again and again.
    for (const [service, queue] of [...queues]) {
      const late = [...queue].filter((each) => each.untilMs <= nowMs());
      for (const each of late) {
        remove(service, each);
        each.expire();
      }
      const [first] = queue;
      if (first) {
        remove(service, first);
        first.retry();
      }
    }
  }

  return {
    enter(service, waiting) {
      if (count >= limit) return false;
      const queue = queues.get(service) ?? new Set();
      queues.set(service, queue.add(waiting));
      count += 1;
      timer ??= setInterval(tick, TICK_MS);
      return true;
    },
    leave: remove,
    open(service) {
      const all = [...(queues.get(service) ?? [])];
      for (const each of all) {
        remove(service, each);
        each.retry();
      }
    },
  };
}
