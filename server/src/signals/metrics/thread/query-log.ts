/** One answer, or failure, of the language. */
export interface AskedQuery {
  query: string;
  /** 0: for one moment. */
  rangeMs: number;
  durationMs: number;
  /** That were read for it. */
  samples: number;
  atMs: number;
}

/** What a query cost, however often it was asked. */
export interface QueryCost {
  query: string;
  rangeMs: number;
  count: number;
  sumMs: number;
  longestMs: number;
  samples: number;
  lastAtMs: number;
}

export interface QueryLog {
  note(asked: AskedQuery): void;
  /** Since then, in whole hours at the front; in no order. */
  costs(sinceMs: number): QueryCost[];
}

const HOUR_MS = 3_600_000;
export const KEPT_MS = 24 * HOUR_MS;
/** More in an hour: the cheapest is forgotten. */
const PER_HOUR = 500;
/** Longer ones are told apart by their beginning alone. */
const LONGEST_TEXT = 1000;

/** Remembers for a day which queries cost how much, hour by hour, in bounded memory. */
export function createQueryLog(): QueryLog {
  const hours = new Map<number, Map<string, QueryCost>>();

  function hourOf(atMs: number): Map<string, QueryCost> {
    const startMs = atMs - (atMs % HOUR_MS);
    const known = hours.get(startMs);
    if (known) return known;
    for (const old of hours.keys()) if (old < atMs - KEPT_MS) hours.delete(old);
    const fresh = new Map<string, QueryCost>();
    hours.set(startMs, fresh);
    return fresh;
  }

  return {
    note({ query, rangeMs, durationMs, samples, atMs }) {
      const hour = hourOf(atMs);
      const text = query.length > LONGEST_TEXT ? `${query.slice(0, LONGEST_TEXT)}…` : query;
      const cost = { query: text, rangeMs, count: 1, sumMs: durationMs, longestMs: durationMs };
      addTo(hour, { ...cost, samples, lastAtMs: atMs });
      if (hour.size > PER_HOUR) hour.delete(cheapestOf(hour));
    },
    costs(sinceMs) {
      const sums = new Map<string, QueryCost>();
      for (const [startMs, hour] of hours) {
        if (startMs + HOUR_MS <= sinceMs) continue;
        for (const cost of hour.values()) addTo(sums, cost);
      }
      return [...sums.values()];
    },
  };
}

function addTo(costs: Map<string, QueryCost>, more: QueryCost): void {
  const key = `${more.rangeMs} ${more.query}`;
  const known = costs.get(key);
  if (!known) return void costs.set(key, { ...more });
  known.count += more.count;
  known.sumMs += more.sumMs;
  known.longestMs = Math.max(known.longestMs, more.longestMs);
  known.samples += more.samples;
  known.lastAtMs = Math.max(known.lastAtMs, more.lastAtMs);
}

/** The newest is spared: it may be about to be asked often. */
function cheapestOf(costs: Map<string, QueryCost>): string {
  const [first, ...others] = [...costs].slice(0, -1);
  const cheapest = others.reduce((least, each) => (each[1].sumMs < least[1].sumMs ? each : least), first!);
  return cheapest[0];
}
