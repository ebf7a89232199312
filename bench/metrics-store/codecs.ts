import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { createSink, type ByteSink } from "../../engines/metrics/src/tsdb/codec/bytes.ts";
import { readTimes, writeTimes } from "../../engines/metrics/src/tsdb/codec/time-column.ts";
import { readValues, writeValues } from "../../engines/metrics/src/tsdb/codec/value-column.ts";
import type { BenchTable } from "../bench.ts";
import { encodeGorilla } from "./gorilla.ts";
import { createRandom, instanceSeries, KINDS, scrapeMs, type Kind } from "./workload.ts";

const SAMPLES = 480;
const INSTANCES = 20;
const ROUNDS = 5;

interface Encoded {
  kind: Kind;
  timesMs: Float64Array;
  values: Float64Array;
}

/** Bytes and processor time of both codecs for the same series. */
export function compareCodecs(): BenchTable {
  const series = makeSeries();
  const rows = KINDS.map(({ kind }) =>
    rowOf(
      kind,
      series.filter((each) => each.kind === kind),
    ),
  );
  return {
    title: `Codecs: ${SAMPLES} samples of ${series.length} series, bytes per sample`,
    columns: [
      "kind",
      "Gorilla",
      "columns",
      "columns + zstd",
      "encode M/s: Gorilla",
      "columns + zstd",
      "decode M/s",
    ],
    rows: [...rows, rowOf("all", series)],
    notes: [
      "Columns with the times of each instance once, as blocks have them; Gorilla with times in every series.",
      "zstd level 1 over pages of 128 KiB. Million samples per second of processor time, best of five.",
    ],
  };
}

function makeSeries(): Encoded[] {
  return Array.from({ length: INSTANCES }, (_, instance) => instance).flatMap((instance) => {
    const random = createRandom(instance);
    const timesMs = Float64Array.from({ length: SAMPLES }, (_, round) => scrapeMs(instance, round, random));
    return instanceSeries(instance, random).map(({ kind, next }) => ({
      kind,
      timesMs,
      values: Float64Array.from({ length: SAMPLES }, next),
    }));
  });
}

function rowOf(kind: string, series: readonly Encoded[]): (string | number)[] {
  const samples = series.length * SAMPLES;
  const perSample = (bytes: number) => (bytes / samples).toFixed(2);
  const gorillaBytes = series.reduce((sum, each) => sum + encodeGorilla(each.timesMs, each.values).length, 0);
  const plain = encodeColumns(series);
  const pages = compress(plain);
  const rate = (work: () => void) => (samples / bestCpuSeconds(work) / 1e6).toFixed(1);
  return [
    kind,
    perSample(gorillaBytes),
    perSample(plain.at),
    perSample(pages.reduce((sum, page) => sum + page.length, 0)),
    rate(() => series.forEach((each) => encodeGorilla(each.timesMs, each.values))),
    rate(() => compress(encodeColumns(series))),
    rate(() => decode(pages, series)),
  ];
}

function encodeColumns(series: readonly Encoded[]): ByteSink {
  const sink = createSink(1 << 20);
  let written: Float64Array | null = null;
  for (const { timesMs, values } of series) {
    if (timesMs !== written) writeTimes(sink, timesMs);
    written = timesMs;
    writeValues(sink, values);
  }
  return sink;
}

function compress({ bytes, at }: ByteSink): Uint8Array[] {
  const pages: Uint8Array[] = [];
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  for (let start = 0; start < at; start += 128 * 1024) {
    pages.push(zstdCompressSync(bytes.subarray(start, Math.min(at, start + 128 * 1024)), { params }));
  }
  return pages;
}

function decode(pages: readonly Uint8Array[], series: readonly Encoded[]): void {
  const source = { bytes: Buffer.concat(pages.map((page) => zstdDecompressSync(page))), at: 0 };
  const values = new Float64Array(SAMPLES);
  const times = new Float64Array(SAMPLES);
  let read: Float64Array | null = null;
  for (const each of series) {
    if (each.timesMs !== read) readTimes(source, times);
    read = each.timesMs;
    readValues(source, values);
  }
}

function bestCpuSeconds(work: () => void): number {
  const runs = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  });
  return Math.max(1e-6, Math.min(...runs));
}
