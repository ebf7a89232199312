import { createLabels, type Labels } from "../labels.ts";
import type { TextSample } from "../wire/text/sink.ts";
import type { ScrapedExemplar } from "./scraped-batch.ts";

interface SeenExemplar extends ScrapedExemplar {
  /** Its own, which says when it happened; null: it stands there at every scrape until another comes. */
  ownTimeMs: number | null;
}

/** The last exemplar of each series of a target, so that none is kept again with every scrape. */
export interface ExemplarMemory {
  begin(): void;
  see(series: Labels, sample: TextSample, atMs: number): void;
  /** Of those that were seen since the scrape began, what is new; from now on it is known. */
  news(): ScrapedExemplar[];
}

export function createExemplarMemory(): ExemplarMemory {
  const known = new WeakMap<Labels, SeenExemplar>();
  let seen: SeenExemplar[] = [];
  return {
    begin: () => void (seen = []),
    see(series, { exemplar, timestampMs }, atMs) {
      if (exemplar === null) return;
      const { labels, value, timestampMs: ownTimeMs } = exemplar;
      const timeMs = ownTimeMs ?? timestampMs ?? atMs;
      seen.push({ series, labels: createLabels(labels), timestampMs: timeMs, value, ownTimeMs });
    },
    news: () =>
      seen.flatMap((each) => {
        const last = known.get(each.series);
        if (last !== undefined && isSame(last, each)) return [];
        known.set(each.series, each);
        const { series, labels, timestampMs, value } = each;
        return [{ series, labels, timestampMs, value }];
      }),
  };
}

/** A time counts only where one has its own. (Prometheus, model/exemplar: `Exemplar.Equals`.) */
function isSame(a: SeenExemplar, b: SeenExemplar): boolean {
  return a.ownTimeMs === b.ownTimeMs && Object.is(a.value, b.value) && a.labels.key === b.labels.key;
}
