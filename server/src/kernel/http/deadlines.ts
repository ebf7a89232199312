import type { Clock } from "../clock.ts";

/**
 * Time limits of many things under way, all of the same length. They share one timer: one for each request,
 * set and cleared, would cost more than many a request does.
 */
export interface Deadlines {
  /** Calls `expire` after the limit, unless the function that it returns was called before. */
  begin(expire: () => void): () => void;
  /** Nothing expires any more. */
  end(): void;
}

interface Waiting {
  dueMs: number;
  expire: () => void;
}

export function createDeadlines({ clock, limitMs }: { clock: Clock; limitMs: number }): Deadlines {
  /** A set keeps the order of adding, which is that of falling due. */
  const all = new Set<Waiting>();
  const ended = new AbortController();
  let isWatched = false;

  async function watch(): Promise<void> {
    isWatched = true;
    try {
      // Those that are added meanwhile come up too, and those that are taken out do not.
      for (const first of all) {
        const restMs = first.dueMs - clock.monotonicMs();
        if (restMs > 0) await clock.sleep(restMs, ended.signal);
        if (all.delete(first)) first.expire();
      }
    } finally {
      isWatched = false;
    }
  }

  return {
    begin(expire) {
      const one = { dueMs: clock.monotonicMs() + limitMs, expire };
      all.add(one);
      if (!isWatched) void watch().catch(() => {});
      return () => void all.delete(one);
    },
    end() {
      all.clear();
      ended.abort("the end");
    },
  };
}
