import { createQueryBudget } from "@mainstay/metrics";
import type { Labels, Matcher, Series } from "@mainstay/metrics/model";
import type { MetricsStore as Store } from "@mainstay/metrics/tsdb";
import {
  chunkFrames,
  compareSeries,
  createSamplesEncoder,
  decompressSnappy,
  readReadRequest,
  sampleChunks,
  type ReadQuery,
} from "@mainstay/metrics/wire";
import type { Clock } from "../../../kernel/clock.ts";
import { joinBytes } from "../join-bytes.ts";
import { MetricsError, type ReadAnswer, type ReadPiece } from "../metrics-store.ts";
import { querySettings } from "./query-settings.ts";
import type { ThreadSettings } from "./settings.ts";

export interface Reads {
  begin(bytes: Uint8Array): ReadAnswer;
  /** Nothing is read ahead: whoever takes its time costs a list of labels. */
  next(cursor: number): ReadPiece;
  end(cursor: number): void;
}

export interface ReadsDependencies {
  store: Store;
  settings: ThreadSettings;
  clock: Clock;
}

/** A piece ends when it has so many bytes, or took so long: others wait meanwhile. */
const PIECE_BYTES = 512 * 1024;
const PIECE_MS = 20;
/** What a sample takes in an answer of the form SAMPLES, with its time. */
const ENCODED_SAMPLE_BYTES = 20;

/** Remote-read over the store: answers that are made whole, and such that are made as they are taken. */
export function createReads(dependencies: ReadsDependencies): Reads {
  const { settings, clock } = dependencies;
  const open = new Map<number, Iterator<Uint8Array>>();
  let lastCursor = 0;

  return {
    begin(bytes) {
      const { queries, form } = readReadRequest(decompressSnappy(bytes, { limitBytes: settings.bodyBytes }));
      if (form === "samples") return { body: readSamples(dependencies, queries) };
      const cursor = ++lastCursor;
      open.set(cursor, readFrames(dependencies, queries));
      return { cursor };
    },
    next(cursor) {
      const frames = open.get(cursor);
      if (frames === undefined)
        throw new MetricsError("unavailable", "the metrics store was started again meanwhile");
      open.delete(cursor);
      const piece = takePiece(frames, clock);
      if (!piece.isEnd) open.set(cursor, frames);
      return piece;
    },
    end: (cursor) => void open.delete(cursor),
  };
}

function takePiece(frames: Iterator<Uint8Array>, clock: Clock): ReadPiece {
  const parts: Uint8Array[] = [];
  const untilMs = clock.monotonicMs() + PIECE_MS;
  let sizeBytes = 0;
  let isEnd = false;
  while (!isEnd && sizeBytes < PIECE_BYTES && (parts.length === 0 || clock.monotonicMs() < untilMs)) {
    const frame = frames.next();
    if (frame.done === true) isEnd = true;
    else {
      parts.push(frame.value);
      sizeBytes += frame.value.length;
    }
  }
  return { body: joinBytes(parts, sizeBytes), isEnd };
}

function readSamples(
  dependencies: ReadsDependencies,
  queries: readonly ReadQuery[],
): Uint8Array<ArrayBuffer> {
  const encoder = createSamplesEncoder();
  const { limits } = querySettings(dependencies, {});
  const budget = createQueryBudget(limits);
  for (const { matchers, fromMs, toMs, hints } of queries) {
    encoder.beginQuery();
    const found = dependencies.store.select(matchers, { fromMs, toMs, hints, budget });
    for (const series of found.toSorted((a, b) => compareSeries(a.labels, b.labels))) {
      budget.addBytes(series.floats.values.length * ENCODED_SAMPLE_BYTES);
      encoder.addSeries(series);
    }
  }
  return encoder.finish();
}

function* readFrames(dependencies: ReadsDependencies, queries: readonly ReadQuery[]): Generator<Uint8Array> {
  const { store, settings } = dependencies;
  for (const [queryIndex, query] of queries.entries()) {
    const { matchers, fromMs, toMs } = query;
    const all = store.series({ selectors: [matchers], fromMs, toMs });
    for (const labels of all.toSorted(compareSeries)) {
      const series = readSeries(dependencies, query, labels);
      if (series === null) continue;
      const framed = { labels, chunks: sampleChunks(series) };
      yield* chunkFrames(framed, { queryIndex, frameBytes: settings.readFrameBytes });
    }
  }
}

/** One series at a time, so that an answer of any size takes the memory of its largest series. */
function readSeries(dependencies: ReadsDependencies, query: ReadQuery, labels: Labels): Series | null {
  const { names, values, key } = labels;
  const matchers = names.map((name, index): Matcher => ({ name, operator: "=", value: values[index] ?? "" }));
  const budget = createQueryBudget(querySettings(dependencies, {}).limits);
  const { fromMs, toMs, hints } = query;
  const found = dependencies.store.select(matchers, { fromMs, toMs, hints, budget });
  // Series with further labels match too.
  return found.find((each) => each.labels.key === key) ?? null;
}
