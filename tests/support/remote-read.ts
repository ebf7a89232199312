import { BYTES, ProtoReader, readFields, readMessage, tagOf, VARINT } from "@mainstay/metrics/protobuf";
import { encodeXorChunk, readXorChunk } from "@mainstay/metrics/testing";
import { decompressSnappy, readChunkFrames, type ChunkFrame } from "@mainstay/metrics/wire";

/** What clients of remote-read send, and what they make of the answers. */

const ANSWER_BYTES_MAX = 64 * 1024 ** 2;
const FRAME_BYTES_MAX = 64 * 1024 ** 2;
const PIECE_BYTES = 1_000;
const XOR = 1;

export const READ_HEADERS = {
  "content-type": "application/x-protobuf",
  "content-encoding": "snappy",
  "x-prometheus-remote-read-version": "0.1.0",
};

export interface ReadSeries {
  query: number;
  labels: Record<string, string>;
  samples: [timeMs: number, bits: bigint][];
  histograms: number;
}

/** The answer of the form SAMPLES. */
export function readSamples(compressed: Uint8Array): ReadSeries[] {
  const reader = new ProtoReader(decompressSnappy(compressed, { limitBytes: ANSWER_BYTES_MAX }));
  const found: ReadSeries[] = [];
  let query = -1;
  readFields(reader, () => {
    query += 1;
    readMessage(reader, () => {
      found.push(readTimeSeries(reader, query));
      return true;
    });
    return true;
  });
  return found;
}

function readTimeSeries(reader: ProtoReader, query: number): ReadSeries {
  const series: ReadSeries = { query, labels: {}, samples: [], histograms: 0 };
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, BYTES)) readLabel(reader, series.labels);
    else if (tag === tagOf(2, BYTES)) {
      let [timeMs, bits] = [0, 0n];
      readMessage(reader, (inner) => {
        if (inner === tagOf(2, VARINT)) timeMs = reader.int();
        else bits = readBits(reader);
        return true;
      });
      series.samples.push([timeMs, bits]);
    } else {
      series.histograms += 1;
      reader.skip(tag);
    }
    return true;
  });
  return series;
}

function readBits(reader: ProtoReader): bigint {
  const words = new Uint32Array(2);
  reader.doubleInto(words, 0);
  return new BigUint64Array(words.buffer)[0] ?? 0n;
}

function readLabel(reader: ProtoReader, labels: Record<string, string>): void {
  let [name, value] = ["", ""];
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, BYTES)) name = reader.text();
    else value = reader.text();
    return true;
  });
  labels[name] = value;
}

/** The answer of the form STREAMED_XOR_CHUNKS. */
export async function readFrames(answer: Response): Promise<ChunkFrame[]> {
  const bytes = new Uint8Array(await answer.arrayBuffer());
  async function* pieces() {
    // Borders of pieces are not those of frames.
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
  }
  const frames: ChunkFrame[] = [];
  for await (const frame of readChunkFrames(pieces(), { limitBytes: FRAME_BYTES_MAX })) frames.push(frame);
  return frames;
}

/** Frames put together again: their series with the samples of their chunks of floats. */
export function seriesOf(frames: readonly ChunkFrame[]): ReadSeries[] {
  const found: ReadSeries[] = [];
  for (const { queryIndex: query, labels, chunks } of frames) {
    const named = Object.fromEntries(labels.names.map((name, index) => [name, labels.values[index] ?? ""]));
    const last = found.at(-1);
    const isSame = last?.query === query && JSON.stringify(last.labels) === JSON.stringify(named);
    const series: ReadSeries = isSame && last ? last : { query, labels: named, samples: [], histograms: 0 };
    if (series !== last) found.push(series);
    for (const { encoding, samples, bytes } of chunks) {
      if (encoding !== XOR) {
        series.histograms += samples;
        continue;
      }
      const { timestampsMs, bits } = readXorChunk(bytes);
      timestampsMs.forEach((timeMs, index) => series.samples.push([timeMs, bits[index] ?? 0n]));
    }
  }
  return found;
}

/**
 * A chunk of floats, and what we make of its samples; without padding, of which theirs may have a byte more.
 */
export function encodedAgain(bytes: Uint8Array): { theirs: string; ours: string } {
  const { timestampsMs, bits } = readXorChunk(bytes);
  const values = new Float64Array(BigUint64Array.from(bits).buffer);
  const encoded = encodeXorChunk({ timestampsMs: Float64Array.from(timestampsMs), values });
  const hex = (all: Uint8Array) =>
    Buffer.from(all)
      .toString("hex")
      .replace(/(00)+$/, "");
  return { theirs: hex(bytes), ours: hex(encoded) };
}

/** The first and the last time of a chunk of floats. */
export function endsOf(bytes: Uint8Array): (number | undefined)[] {
  const { timestampsMs } = readXorChunk(bytes);
  return [timestampsMs[0], timestampsMs.at(-1)];
}
