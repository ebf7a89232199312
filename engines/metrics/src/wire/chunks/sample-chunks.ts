import type { FloatColumn, HistogramColumn, Series } from "../../storage.ts";
import { encodeFloatHistogramChunk, isSameChunk } from "./float-histogram-chunk.ts";
import { encodeXorChunk, SAMPLES_PER_CHUNK } from "./xor-chunk.ts";

/** Encodings by the number Prometheus has for them. */
const XOR = 1;
const FLOAT_HISTOGRAM = 3;

/** Samples of one series as a chunk, the first and the last time included. */
export interface SampleChunk {
  minMs: number;
  maxMs: number;
  encoding: number;
  samples: number;
  bytes: Uint8Array;
}

/** The samples of a series in chunks of usual size, in the order of time; none overlaps another. */
export function* sampleChunks({
  floats,
  histograms,
}: Pick<Series, "floats" | "histograms">): Generator<SampleChunk> {
  let nextFloat = 0;
  let nextHistogram = 0;
  const histogramTimes = histograms?.timestampsMs ?? new Float64Array(0);
  for (;;) {
    const floatMs = floats.timestampsMs[nextFloat] ?? Infinity;
    const histogramMs = histogramTimes[nextHistogram] ?? Infinity;
    if (floatMs === Infinity && histogramMs === Infinity) return;
    if (floatMs < histogramMs) {
      const chunk = floatChunk(floats, nextFloat, histogramMs);
      nextFloat += chunk.samples;
      yield chunk;
    } else if (histograms !== undefined) {
      const chunk = histogramChunk(histograms, nextHistogram, floatMs);
      nextHistogram += chunk.samples;
      yield chunk;
    }
  }
}

function floatChunk({ timestampsMs, values }: FloatColumn, from: number, beforeMs: number): SampleChunk {
  let to = from + 1;
  while (to - from < SAMPLES_PER_CHUNK && (timestampsMs[to] ?? Infinity) < beforeMs) to += 1;
  const times = timestampsMs.subarray(from, to);
  const bytes = encodeXorChunk({ timestampsMs: times, values: values.subarray(from, to) });
  return { ...rangeOf(times), encoding: XOR, samples: times.length, bytes };
}

function histogramChunk(column: HistogramColumn, from: number, beforeMs: number): SampleChunk {
  const { timestampsMs, values } = column;
  let to = from + 1;
  for (; to - from < SAMPLES_PER_CHUNK && (timestampsMs[to] ?? Infinity) < beforeMs; to++) {
    const [before, next] = [values[to - 1], values[to]];
    if (before === undefined || next === undefined || !isSameChunk(before, next)) break;
  }
  const times = timestampsMs.subarray(from, to);
  const bytes = encodeFloatHistogramChunk({ timestampsMs: times, values: values.slice(from, to) });
  return { ...rangeOf(times), encoding: FLOAT_HISTOGRAM, samples: times.length, bytes };
}

function rangeOf(timesMs: Float64Array): { minMs: number; maxMs: number } {
  return { minMs: timesMs[0] ?? 0, maxMs: timesMs[timesMs.length - 1] ?? 0 };
}
