import {
  createSink,
  readSigned,
  readVarint,
  takeBytes,
  writeSigned,
  writeVarint,
  type ByteSink,
  type ByteSource,
} from "./bytes.ts";

/**
 * Times in whole milliseconds, as the first, the first distance, and from then on what a distance
 * differs from the one before; each run of zeros, which regular scrapes are full of, is its length.
 */
export function writeTimes(sink: ByteSink, timesMs: Float64Array): void {
  let previousMs = 0;
  let previousStepMs = 0;
  let zeros = 0;
  for (let index = 0; index < timesMs.length; index++) {
    const timeMs = timesMs[index] ?? 0;
    const stepMs = timeMs - previousMs;
    const change = stepMs - previousStepMs;
    previousMs = timeMs;
    previousStepMs = index === 0 ? 0 : stepMs;
    if (change === 0) zeros++;
    else {
      if (zeros > 0) writeZeros(sink, zeros);
      zeros = 0;
      writeSigned(sink, change);
    }
  }
  if (zeros > 0) writeZeros(sink, zeros);
}

function writeZeros(sink: ByteSink, count: number): void {
  writeVarint(sink, 0);
  writeVarint(sink, count);
}

/** The inverse of `writeTimes`: fills the array. */
export function readTimes(source: ByteSource, timesMs: Float64Array): void {
  readTimesInto(source, { timesMs, from: 0, to: timesMs.length });
}

/** A part of a column of times. */
export interface TimeSpan {
  readonly timesMs: Float64Array;
  readonly from: number;
  readonly to: number;
}

/** The same for a part of a larger column. */
export function readTimesInto(source: ByteSource, { timesMs, from, to }: TimeSpan): void {
  let timeMs = 0;
  let stepMs = 0;
  let zeros = 0;
  for (let index = from; index < to; index++) {
    if (zeros > 0) zeros--;
    else {
      const change = readSigned(source);
      if (change === 0) zeros = readVarint(source) - 1;
      stepMs += change;
    }
    timeMs += stepMs;
    timesMs[index] = timeMs;
    if (index === from) stepMs = 0;
  }
}

export function encodeTimes(timesMs: Float64Array): Uint8Array {
  const sink = createSink(timesMs.length + 16);
  writeTimes(sink, timesMs);
  return takeBytes(sink);
}
