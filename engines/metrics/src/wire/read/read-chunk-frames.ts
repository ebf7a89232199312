import { createLabels, type Labels } from "../../labels.ts";
import { crc32c } from "../chunks/crc32c.ts";
import type { SampleChunk } from "../chunks/sample-chunks.ts";
import { BYTES, ProtoReader, readFields, readMessage, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { WireError } from "../wire-error.ts";

/** Chunks of one series; those that follow may be of the same one. */
export interface ChunkFrame {
  queryIndex: number;
  labels: Labels;
  /** With bytes of their own. */
  chunks: SampleChunk[];
}

const SUM_BYTES = 4;
const LENGTH_BYTES_MAX = 5;

/**
 * The frames of a stream of chunks, each held to its checksum, as they come. Throws
 * WireError at one that is damaged, too large, or cut off.
 */
export async function* readChunkFrames(
  source: AsyncIterable<Uint8Array>,
  { limitBytes }: { limitBytes: number },
): AsyncGenerator<ChunkFrame> {
  let waiting = new Uint8Array(0);
  for await (const piece of source) {
    waiting = joined(waiting, piece);
    let at = 0;
    for (;;) {
      const frame = frameAt(waiting, at, limitBytes);
      if (frame === null) break;
      yield readFrame(frame.message);
      at = frame.end;
    }
    waiting = waiting.slice(at);
  }
  if (waiting.length > 0) throw new WireError("the stream ends within a frame");
}

function joined(before: Uint8Array, after: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(before.length + after.length);
  whole.set(before);
  whole.set(after, before.length);
  return whole;
}

/** Null while it is not there whole. */
function frameAt(
  bytes: Uint8Array,
  from: number,
  limitBytes: number,
): { message: Uint8Array; end: number } | null {
  const length = lengthAt(bytes, from);
  if (length === null) return null;
  if (length.sizeBytes > limitBytes)
    throw new WireError(`a frame of ${length.sizeBytes} bytes, and the limit is ${limitBytes}`);
  const start = length.end + SUM_BYTES;
  const end = start + length.sizeBytes;
  if (end > bytes.length) return null;
  const message = bytes.slice(start, end);
  const sum = new DataView(bytes.buffer, bytes.byteOffset + length.end).getUint32(0);
  if (crc32c(message) !== sum) throw new WireError("a frame does not match its checksum");
  return { message, end };
}

function lengthAt(bytes: Uint8Array, from: number): { sizeBytes: number; end: number } | null {
  let sizeBytes = 0;
  for (let nth = 0; nth < LENGTH_BYTES_MAX; nth++) {
    const byte = bytes[from + nth];
    if (byte === undefined) return null;
    sizeBytes += (byte & 0x7f) * 128 ** nth;
    if (byte < 0x80) return { sizeBytes, end: from + nth + 1 };
  }
  throw new WireError("the length of a frame is no varint");
}

function readFrame(message: Uint8Array): ChunkFrame {
  const reader = new ProtoReader(message);
  let queryIndex = 0;
  const pairs: [string, string][] = [];
  const chunks: SampleChunk[] = [];
  readFields(reader, (tag) => {
    if (tag === tagOf(2, VARINT)) queryIndex = reader.int();
    else if (tag === tagOf(1, BYTES))
      readMessage(reader, (inner) => {
        if (inner === tagOf(1, BYTES)) pairs.push(readLabel(reader));
        else if (inner === tagOf(2, BYTES)) chunks.push(readChunk(reader));
        else return false;
        return true;
      });
    else return false;
    return true;
  });
  return { queryIndex, labels: createLabels(pairs), chunks };
}

function readLabel(reader: ProtoReader): [string, string] {
  let [name, value] = ["", ""];
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, BYTES)) name = reader.text();
    else if (tag === tagOf(2, BYTES)) value = reader.text();
    else return false;
    return true;
  });
  return [name, value];
}

function readChunk(reader: ProtoReader): SampleChunk {
  const chunk: SampleChunk = { minMs: 0, maxMs: 0, encoding: 0, samples: 0, bytes: new Uint8Array(0) };
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, VARINT)) chunk.minMs = reader.int();
    else if (tag === tagOf(2, VARINT)) chunk.maxMs = reader.int();
    else if (tag === tagOf(3, VARINT)) chunk.encoding = reader.varint();
    else if (tag === tagOf(4, BYTES)) chunk.bytes = readBytes(reader);
    else return false;
    return true;
  });
  // Every encoding begins with the number of its samples.
  chunk.samples = ((chunk.bytes[0] ?? 0) << 8) | (chunk.bytes[1] ?? 0);
  return chunk;
}

function readBytes(reader: ProtoReader): Uint8Array {
  const outer = reader.enter();
  const bytes = reader.bytes.slice(reader.at, reader.end);
  reader.at = reader.end;
  reader.end = outer;
  return bytes;
}
