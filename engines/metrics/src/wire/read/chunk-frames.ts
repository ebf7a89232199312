import type { Labels } from "../../labels.ts";
import type { SampleChunk } from "../chunks/sample-chunks.ts";
import { crc32c } from "../chunks/crc32c.ts";
import { BYTES, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";
import { writeLabels } from "../messages/series-messages.ts";

export interface FramedSeries {
  labels: Labels;
  /** Their times rise. */
  chunks: Iterable<SampleChunk>;
}

const SUM_BYTES = 4;
/** What stands around the bytes of a chunk. */
const CHUNK_HEAD_BYTES = 32;

/**
 * A series as frames of the form STREAMED_XOR_CHUNKS: the length of a `ChunkedReadResponse`, its
 * CRC-32C, itself. A frame holds chunks of one series, up to about so many bytes, and at least one.
 */
export function* chunkFrames(
  { labels, chunks }: FramedSeries,
  { queryIndex, frameBytes }: { queryIndex: number; frameBytes: number },
): Generator<Uint8Array> {
  let waiting: SampleChunk[] = [];
  let waitingBytes = 0;
  for (const chunk of chunks) {
    const sizeBytes = chunk.bytes.length + CHUNK_HEAD_BYTES;
    if (waiting.length > 0 && waitingBytes + sizeBytes > frameBytes) {
      yield encodeFrame({ labels, chunks: waiting }, queryIndex);
      waiting = [];
      waitingBytes = 0;
    }
    waiting.push(chunk);
    waitingBytes += sizeBytes;
  }
  if (waiting.length > 0) yield encodeFrame({ labels, chunks: waiting }, queryIndex);
}

function encodeFrame({ labels, chunks }: FramedSeries, queryIndex: number): Uint8Array {
  const writer = new ProtoWriter();
  writer.varint(tagOf(1, BYTES));
  writer.within(() => {
    writeLabels(writer, labels);
    for (const chunk of chunks) {
      writer.varint(tagOf(2, BYTES));
      writer.within(() => writeChunk(writer, chunk));
    }
  });
  writer.varint(tagOf(2, VARINT));
  writer.int(queryIndex);
  const message = writer.finish();
  const head = new ProtoWriter();
  head.varint(message.length);
  const sum = new Uint8Array(SUM_BYTES);
  new DataView(sum.buffer).setUint32(0, crc32c(message));
  return Buffer.concat([head.finish(), sum, message]);
}

function writeChunk(writer: ProtoWriter, { minMs, maxMs, encoding, bytes }: SampleChunk): void {
  writer.varint(tagOf(1, VARINT));
  writer.int(minMs);
  writer.varint(tagOf(2, VARINT));
  writer.int(maxMs);
  writer.varint(tagOf(3, VARINT));
  writer.int(encoding);
  writer.varint(tagOf(4, BYTES));
  writer.varint(bytes.length);
  writer.raw(bytes);
}
