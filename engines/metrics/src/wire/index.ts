export { readOtlp } from "./otlp/read-otlp.ts";
export { readOtlpJson } from "./otlp/read-otlp-json.ts";
export {
  translateOtlp,
  type OtlpSink,
  type TranslatedExemplar,
  type TranslatedPoint,
  type TranslationOptions,
} from "./otlp/translate-otlp.ts";
export type { OtlpRequest } from "./otlp/otlp-model.ts";
export { createStatsdMetrics, type StatsdLimits, type StatsdSeries } from "./statsd/statsd-metrics.ts";
export { parseStrictOpenMetrics } from "./text/families.ts";
export { parseOpenMetrics } from "./text/open-metrics.ts";
export { parsePrometheusText } from "./text/prometheus-text.ts";
export { parseSeriesText, type LabelPair, type SeriesName } from "./text/series-text.ts";
export type { MetricType, TextExemplar, TextMetadata, TextSample, TextSink } from "./text/sink.ts";
export { TextError } from "./text/text-error.ts";
export { compareSeries } from "./chunks/compare-bytes.ts";
export { sampleChunks, type SampleChunk } from "./chunks/sample-chunks.ts";
export { chunkFrames, type FramedSeries } from "./read/chunk-frames.ts";
export { createSamplesEncoder, type SamplesEncoder } from "./read/encode-samples.ts";
export { encodeReadRequest } from "./read/encode-request.ts";
export { readChunkFrames, type ChunkFrame } from "./read/read-chunk-frames.ts";
export { readReadRequest, type ReadQuery, type ReadRequest } from "./read/read-request.ts";
export { WireError } from "./wire-error.ts";
export { ByteIndex } from "./write/byte-index.ts";
export { compressSnappy } from "./write/compress.ts";
export { decompressSnappy } from "./write/decompress.ts";
export {
  encodeRemoteWrite1,
  encodeRemoteWrite2,
  type OutgoingMetadata,
  type OutgoingSeries,
} from "./write/encode-write.ts";
export { readRemoteWrite1 } from "./write/remote-write-1.ts";
export { readRemoteWrite2 } from "./write/remote-write-2.ts";
export { Symbols } from "./write/symbols.ts";
export type {
  WriteSink,
  WrittenExemplar,
  WrittenHistogram,
  WrittenMetadata,
  WrittenSeries,
  WrittenType,
} from "./write/write-request.ts";
export type { OutgoingLabels } from "./messages/series-messages.ts";
