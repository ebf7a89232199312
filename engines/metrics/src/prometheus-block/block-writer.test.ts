import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { createLabels } from "../labels.ts";
import { crc32c } from "../wire/chunks/crc32c.ts";
import { sampleChunks, type SampleChunk } from "../wire/chunks/sample-chunks.ts";
import { createBlockWriter } from "./block-writer.ts";
import { createUlid } from "./ulid.ts";

/** What is written is read by promtool and Prometheus in tests/e2e/metrics-blocks.test.ts. */

function newDirectory(): string {
  const directory = fs.mkdtempSync(join(tmpdir(), "mainstay-block-"));
  onTestFinished(() => fs.rmSync(directory, { recursive: true }));
  return directory;
}

const writerIn = (directory: string) =>
  createBlockWriter({
    disk: fs,
    directory,
    nowMs: 1_469_918_176_385,
    random: (bytes) => new Uint8Array(bytes),
  });
const named = (name: string) => createLabels([["__name__", name]]);
const chunksAt = (...times: number[]): SampleChunk[] => [
  ...sampleChunks({
    floats: { timestampsMs: Float64Array.from(times), values: new Float64Array(times.length) },
  }),
];

it("puts a block in its place once it is whole, and says what it holds", () => {
  const directory = newDirectory();
  const writer = writerIn(directory);
  writer.add(named("a"), chunksAt(1000, 2000));
  writer.add(named("a"), chunksAt(3000));
  writer.add(named("b"), chunksAt(500));
  expect(fs.readdirSync(directory)).toEqual(["01ARYZ6S410000000000000000.tmp-for-creation"]);
  const ulid = "01ARYZ6S410000000000000000";
  expect(writer.finish()).toEqual({ ulid, series: 2, chunks: 3, samples: 4, minMs: 500, maxMs: 3000 });
  expect(fs.readdirSync(join(directory, ulid)).toSorted()).toEqual(["chunks", "index", "meta.json"]);
  const meta: unknown = JSON.parse(fs.readFileSync(join(directory, ulid, "meta.json"), "utf8"));
  expect(meta).toEqual({
    ...{ ulid, minTime: 500, maxTime: 3001, version: 1 },
    stats: { numSamples: 4, numSeries: 2, numChunks: 3 },
    compaction: { level: 1, sources: [ulid] },
  });
  const index = fs.readFileSync(join(directory, ulid, "index"));
  expect(index.subarray(0, 5).toString("hex")).toBe("baaad70002");
  expect(index.readUInt32BE(index.length - 4)).toBe(
    crc32c(index.subarray(index.length - 52, index.length - 4)),
  );
});

it("leaves nothing when there is nothing to write, or when it is given up", () => {
  const directory = newDirectory();
  expect(writerIn(directory).finish()).toBeNull();
  const writer = writerIn(directory);
  writer.add(named("a"), chunksAt(1000));
  writer.abandon();
  expect(fs.readdirSync(directory)).toEqual([]);
});

it("refuses series out of order and chunks that overlap, which Prometheus could not read", () => {
  const writer = writerIn(newDirectory());
  writer.add(named("b"), chunksAt(1000, 2000));
  expect(() => writer.add(named("b"), chunksAt(2000))).toThrow("must not overlap");
  expect(() => writer.add(named("a"), chunksAt(1000))).toThrow("in the order of their labels");
  writer.abandon();
});

it("names blocks so that they sort by time", () => {
  const random = (bytes: number) => new Uint8Array(bytes).fill(31);
  expect(createUlid(2 ** 48 - 1, random)).toBe("7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  expect(createUlid(0, random)).toBe("0000000000ZZZZZZZZZZZZZZZZ");
});
