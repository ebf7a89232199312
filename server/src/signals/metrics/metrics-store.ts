import type { RemoteWriteResource } from "@mainstay/api";
import type { QueryResult } from "@mainstay/metrics";
import type { Histogram, Labels } from "@mainstay/metrics/model";
import type { CardinalityReport, Exemplar, Metadata, StoreStatus } from "@mainstay/metrics/tsdb";
import type { Refused } from "./refused.ts";
import type { Origin } from "./reserved-names.ts";
import type { ScrapeSink } from "./scraping/scrape-sink.ts";

export type { Refused } from "./refused.ts";

export type LabelPair = readonly [name: string, value: string];

/**
 * What `append` takes; made by `createAppendBatch`. Its columns belong to the store once it is handed over.
 */
export interface AppendBatch {
  origin: Origin;
  /** Each with `__name__`; in any order. What follows refers to them by position. */
  series: readonly (readonly LabelPair[])[];
  /** Columns of equal length. Staleness markers have their bits (`setStaleAt` of the engine). */
  positions: Uint32Array<ArrayBuffer>;
  timestampsMs: Float64Array<ArrayBuffer>;
  values: Float64Array<ArrayBuffer>;
  histograms: readonly { position: number; timestampMs: number; value: Histogram }[];
  exemplars: readonly {
    position: number;
    labels: readonly LabelPair[];
    timestampMs: number;
    value: number;
  }[];
  metadata: readonly Metadata[];
}

export interface AppendOutcome {
  /** What is kept now, whether it is new or was there before. */
  written: { samples: number; histograms: number; exemplars: number };
  /** How many of them were there before, with the same value. */
  repeated: number;
  refused: readonly Refused[];
}

export interface InstantRequest {
  query: string;
  /** Now, unless given. */
  timeMs?: number;
  /** No longer than the store allows anyway. */
  timeoutMs?: number;
  lookbackMs?: number;
}

export interface RangeRequest extends Omit<InstantRequest, "timeMs"> {
  startMs: number;
  endMs: number;
  stepMs: number;
}

/** Series that match any of these selectors of PromQL; all of them when there is none. */
export interface SeriesRequest {
  match: readonly string[];
  fromMs?: number;
  toMs?: number;
}

export interface StoreStats extends StoreStatus {
  cardinality: CardinalityReport;
  /** Of the thread in which the store lives. */
  thread: { heapBytes: number; bufferBytes: number };
  /** Samples and histograms from outside that bore names of Mainstay's own metrics. */
  refusedNames: number;
  /** What came over UDP, and what of it was not taken, by reason; null: none is open. */
  statsd: { port: number | null; lines: number; refused: Readonly<Record<string, number>> } | null;
}

/** Questions of the HTTP API that are answered where the data lies, so that answers are written there too. */
export type ApiEndpoint =
  | "query"
  | "query_range"
  | "query_exemplars"
  | "format_query"
  | "parse_query"
  | "labels"
  | "label_values"
  | "series"
  | "metadata"
  | "tsdb"
  | "top_queries"
  | "federate";

export interface ApiCall {
  endpoint: ApiEndpoint;
  /** What stands in the path; empty where nothing does. */
  subject: string;
  /** Parameters as the address and a form in the body hold them. */
  search: string;
  form: string;
  acceptsGzip: boolean;
}

export interface ApiAnswer {
  status: number;
  contentType: string;
  isGzip: boolean;
  body: Uint8Array<ArrayBuffer>;
}

/** To remote-read: all of it, or where the stream of chunks is continued. */
export type ReadAnswer = { body: Uint8Array<ArrayBuffer> } | { cursor: number };

/** Frames of a stream of chunks. */
export interface ReadPiece {
  body: Uint8Array<ArrayBuffer>;
  isEnd: boolean;
}

/** How metrics come in over the wire. */
export type Protocol = "remote-write-1" | "remote-write-2" | "otlp-protobuf" | "otlp-json";

export interface Delivery {
  protocol: Protocol;
  encoding: "identity" | "gzip" | "snappy";
  /** As it came; the array belongs to the store once it is handed over. */
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Time series, whoever keeps them. Everything that fails is a `MetricsError`: callers that have other
 * things to do than metrics count it and go on.
 */
export interface MetricsStore extends ScrapeSink {
  /** What it answers survives the death of the process. */
  append(batch: AppendBatch): Promise<AppendOutcome>;
  /**
   * As `append`, for samples of any age: those before the
   * window of the head become blocks. Slow, for imports.
   */
  backfill(batch: AppendBatch): Promise<AppendOutcome>;
  ingest(delivery: Delivery): Promise<AppendOutcome>;
  query(request: InstantRequest): Promise<QueryResult>;
  queryRange(request: RangeRequest): Promise<QueryResult>;
  series(request: SeriesRequest): Promise<readonly Labels[]>;
  labelNames(request: SeriesRequest): Promise<readonly string[]>;
  labelValues(request: SeriesRequest & { label: string }): Promise<readonly string[]>;
  exemplars(request: SeriesRequest): Promise<readonly { series: Labels; exemplars: readonly Exemplar[] }[]>;
  metadata(): Promise<readonly Metadata[]>;
  /** The number of series of which samples are hidden now. */
  deleteSeries(request: SeriesRequest): Promise<number>;
  cleanTombstones(): Promise<void>;
  /** The name of the directory below `snapshots/`. */
  snapshot(): Promise<string>;
  stats(): Promise<StoreStats>;
  /** Where samples are sent on to, and how that goes. */
  remoteWrites(): Promise<readonly RemoteWriteResource[]>;
  /** A request of remote-read as it came; the array belongs to the store once it is handed over. */
  beginRead(request: Uint8Array<ArrayBuffer>): Promise<ReadAnswer>;
  /** The piece that follows; the stream is closed when it is the last one. */
  nextOfRead(cursor: number): Promise<ReadPiece>;
  endRead(cursor: number): Promise<void>;
  /** A refusal is an answer too; it fails only as unavailable. */
  answer(call: ApiCall): Promise<ApiAnswer>;
}

/**
 * parse: no PromQL, or a body that is not what it says · execution, too-much, timeout: what ended a
 * query · malformed: an argument makes no sense · disk-full: nothing is taken in, queries go on ·
 * unavailable: nothing can be asked right now.
 */
export type MetricsFault =
  | "parse"
  | "execution"
  | "too-much"
  | "timeout"
  | "malformed"
  | "disk-full"
  | "unavailable";

/** Why the store did not do what it was asked. */
export class MetricsError extends Error {
  override name = "MetricsError";
  readonly fault: MetricsFault;

  constructor(fault: MetricsFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
