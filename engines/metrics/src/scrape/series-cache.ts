import type { Labels } from "../labels.ts";

/** What is remembered of a series as it is written in a target's text. */
export interface KnownSeries {
  /** Null: relabelling leaves it out. */
  labels: Labels | null;
  /** The last round in which it was seen. */
  round: number;
  /** Whether it was seen in that round without a time of its own: then its end is told. */
  isTracked: boolean;
  /** Whether the store takes it to go on. */
  isLive: boolean;
}

/** Rounds that a series may be away until its text is read afresh. */
const FORGOTTEN_AFTER = 2;

/**
 * The series of one target from scrape to scrape: their text is taken apart once, and what ends is noticed.
 */
export interface SeriesCache {
  /** The series of this text; `read` takes a new text apart. */
  find(text: string, read: () => Labels | null): KnownSeries;
  begin(): void;
  /** How many were new in this round. */
  added(): number;
  /** Ends a round that counts: what was not seen in it ends. */
  commit(): Labels[];
  /** Ends everything: the round failed, or there is no other. */
  abandon(): Labels[];
}

export function createSeriesCache(): SeriesCache {
  const known = new Map<string, KnownSeries>();
  let round = 0;
  let added = 0;

  function end(isOver: (series: KnownSeries) => boolean): Labels[] {
    const ended: Labels[] = [];
    for (const [text, series] of known) {
      if (series.isLive && isOver(series)) {
        series.isLive = false;
        if (series.labels) ended.push(series.labels);
      }
      if (round - series.round > FORGOTTEN_AFTER) known.delete(text);
    }
    return ended;
  }

  return {
    find(text, read) {
      const present = known.get(text);
      if (present) {
        present.round = round;
        return present;
      }
      const series = { labels: read(), round, isTracked: true, isLive: false };
      known.set(text, series);
      added += series.labels === null ? 0 : 1;
      return series;
    },
    begin() {
      round += 1;
      added = 0;
    },
    added: () => added,
    commit() {
      const ended = end((series) => series.round !== round);
      const seen = new Set<string>();
      for (const series of known.values()) {
        if (series.round !== round || series.labels === null) continue;
        series.isLive = series.isTracked;
        if (ended.length > 0) seen.add(series.labels.key);
      }
      // The same series may be written in another way than before.
      return ended.filter(({ key }) => !seen.has(key));
    },
    abandon: () => end(() => true),
  };
}
