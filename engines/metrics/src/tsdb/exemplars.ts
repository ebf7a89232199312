import type { Labels } from "../labels.ts";
import type { Exemplar } from "./batch.ts";
import type { TimeRange } from "./columns.ts";

export interface SeriesExemplar {
  ref: number;
  series: Labels;
  exemplar: Exemplar;
}

/** The newest exemplars of all series, up to a number. */
export interface ExemplarRing {
  add(added: SeriesExemplar): void;
  /** By series, in the order of time. */
  find(matches: (series: Labels) => boolean, range: TimeRange): { series: Labels; exemplars: Exemplar[] }[];
  all(): readonly SeriesExemplar[];
}

export function createExemplarRing(capacity: number): ExemplarRing {
  const ring: SeriesExemplar[] = [];
  const newest = new Map<string, Exemplar>();
  let next = 0;
  const all = () => [...ring.slice(next), ...ring.slice(0, next)];
  return {
    all,
    add: (added) => {
      const { key } = added.series;
      const last = newest.get(key);
      if (capacity === 0 || (last && isSame(last, added.exemplar))) return;
      const pushedOut = ring[next];
      if (pushedOut && newest.get(pushedOut.series.key) === pushedOut.exemplar) {
        newest.delete(pushedOut.series.key);
      }
      ring[next] = added;
      newest.set(key, added.exemplar);
      next = (next + 1) % capacity;
    },
    find: (matches, { fromMs, beforeMs }) => {
      const found = new Map<string, { series: Labels; exemplars: Exemplar[] }>();
      for (const { series, exemplar } of all()) {
        if (exemplar.timestampMs < fromMs || exemplar.timestampMs >= beforeMs || !matches(series)) continue;
        const entry = found.get(series.key) ?? { series, exemplars: [] };
        entry.exemplars.push(exemplar);
        found.set(series.key, entry);
      }
      for (const { exemplars } of found.values()) exemplars.sort((a, b) => a.timestampMs - b.timestampMs);
      return [...found.values()];
    },
  };
}

function isSame(a: Exemplar, b: Exemplar): boolean {
  return a.timestampMs === b.timestampMs && Object.is(a.value, b.value) && a.labels.key === b.labels.key;
}
