import { describe, expect, it } from "vitest";
import { CUSTOM_BUCKETS_SCHEMA, NO_BUCKETS, type Histogram } from "../../histogram.ts";
import { createLabels } from "../../labels.ts";
import type { Matcher } from "../../storage.ts";
import { sampleChunks } from "../chunks/sample-chunks.ts";
import { ProtoReader } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";
import { decompressSnappy } from "../write/decompress.ts";
import { readHistogram } from "../write/read-histogram.ts";
import { chunkFrames } from "./chunk-frames.ts";
import { encodeReadRequest } from "./encode-request.ts";
import { readChunkFrames, type ChunkFrame } from "./read-chunk-frames.ts";
import { readReadRequest } from "./read-request.ts";
import { writeHistogramMessage } from "../messages/histogram-message.ts";

describe("a request of remote-read", () => {
  const matchers: Matcher[] = [
    { name: "__name__", operator: "=", value: "up" },
    { name: "job", operator: "!=", value: "ä" },
    { name: "zone", operator: "=~", value: "a|b" },
    { name: "zone", operator: "!~", value: "c.*" },
  ];
  const read = (bytes: Uint8Array) => readReadRequest(decompressSnappy(bytes, { limitBytes: 10_000 }));

  it("is read as it was written", () => {
    const queries = [
      { fromMs: -5, toMs: 2 ** 42, matchers },
      { fromMs: 0, toMs: 1, matchers: [] },
    ];
    const hints = { stepMs: 0, rangeMs: 0, functionName: "" };
    expect(read(encodeReadRequest(queries, "chunks"))).toEqual({
      form: "chunks",
      queries: queries.map((each) => ({ ...each, hints })),
    });
    expect(read(encodeReadRequest([], "samples")).form).toBe("samples");
  });

  it("takes the first form that is known, samples when none is named", () => {
    const accepting = (...forms: number[]) => Uint8Array.of(0x12, forms.length, ...forms);
    expect(readReadRequest(accepting(9, 1, 0)).form).toBe("chunks");
    expect(readReadRequest(accepting(0, 1)).form).toBe("samples");
    expect(readReadRequest(new Uint8Array(0))).toEqual({ form: "samples", queries: [] });
    expect(() => readReadRequest(accepting(9))).toThrow("neither is accepted");
  });

  it("is refused when a regular expression is none, or is endless", () => {
    const asking = (value: string) =>
      encodeReadRequest(
        [{ fromMs: 0, toMs: 1, matchers: [{ name: "a", operator: "=~", value }] }],
        "samples",
      );
    expect(() => read(asking("("))).toThrow('"(" is no regular expression');
    const long = asking("a".repeat(16_385));
    expect(() => readReadRequest(decompressSnappy(long, { limitBytes: 100_000 }))).toThrow("more than 16384");
  });
});

describe("frames of chunks", () => {
  const labels = createLabels([
    ["__name__", "up"],
    ["job", "nöde"],
  ]);
  const timestampsMs = Float64Array.from({ length: 600 }, (_, index) => index * 1000);
  const values = Float64Array.from({ length: 600 }, (_, index) => Math.sin(index));
  const chunks = [...sampleChunks({ floats: { timestampsMs, values } })];
  const frames = [...chunkFrames({ labels, chunks }, { queryIndex: 3, frameBytes: 2048 })];

  async function readBack(bytes: Uint8Array, pieceBytes: number, limitBytes = 1e6): Promise<ChunkFrame[]> {
    async function* pieces() {
      for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
    }
    const found: ChunkFrame[] = [];
    for await (const frame of readChunkFrames(pieces(), { limitBytes })) found.push(frame);
    return found;
  }

  it("are read as they were written, however they come in", async () => {
    expect(frames.length).toBeGreaterThan(2);
    for (const pieceBytes of [1, 7, 1000, 1e6]) {
      const found = await readBack(Buffer.concat(frames), pieceBytes);
      expect(found.map(({ queryIndex, labels: { key } }) => [queryIndex, key])).toEqual(
        frames.map(() => [3, labels.key]),
      );
      const bytesOf = (all: { bytes: Uint8Array }[]) =>
        all.map(({ bytes }) => Buffer.from(bytes).toString("hex"));
      expect(bytesOf(found.flatMap((each) => each.chunks))).toEqual(bytesOf(chunks));
    }
  });

  it("are refused when they are damaged, cut off or too large", async () => {
    const [first = new Uint8Array(0)] = frames;
    const damaged = Uint8Array.from(first);
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    await expect(readBack(damaged, 64)).rejects.toThrow("checksum");
    await expect(readBack(first.subarray(0, -1), 64)).rejects.toThrow("ends within a frame");
    await expect(readBack(first, 64, 100)).rejects.toThrow("the limit is 100");
    await expect(readBack(new Uint8Array(6).fill(0xff), 6)).rejects.toThrow("no varint");
  });
});

describe("a native histogram among samples", () => {
  const plain: Histogram = {
    ...{ schema: 3, count: 12.5, sum: -7, zeroThreshold: 2 ** -128, zeroCount: 0.5, customBounds: [] },
    positive: { indexes: Int32Array.of(-4, -3, 0, 9), counts: Float64Array.of(1, 2, 3, 4) },
    negative: { indexes: Int32Array.of(5), counts: Float64Array.of(2) },
    resetHint: "not-reset",
  };
  const custom: Histogram = {
    ...{ ...plain, schema: CUSTOM_BUCKETS_SCHEMA, zeroThreshold: 0, zeroCount: 0, resetHint: "gauge" },
    ...{ customBounds: [0.1, 1], negative: NO_BUCKETS },
    positive: { indexes: Int32Array.of(0, 2), counts: Float64Array.of(1, 2) },
  };

  it.each([plain, custom])("is what remote-write reads", (histogram) => {
    const writer = new ProtoWriter();
    writer.within(() => writeHistogramMessage(writer, { timestampMs: -1234, value: histogram }));
    const read = readHistogram(new ProtoReader(writer.finish()));
    expect(read).toEqual({ timestampMs: -1234, histogram, isStale: false, startMs: null });
  });
});
