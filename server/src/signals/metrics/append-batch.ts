import { setStaleAt, type Histogram } from "@mainstay/metrics/model";
import type { Metadata } from "@mainstay/metrics/tsdb";
import type { AppendBatch, LabelPair } from "./metrics-store.ts";
import type { Origin } from "./reserved-names.ts";

const FIRST_SAMPLES = 256;

/** A batch for `MetricsStore.append` that is being filled. */
export interface AppendBatchBuilder {
  /** Its position, for what follows. A series may be added several times; that costs only bytes. */
  addSeries(labels: readonly LabelPair[]): number;
  addSample(position: number, timestampMs: number, value: number): void;
  /** Ends the series at that time. */
  addStale(position: number, timestampMs: number): void;
  addHistogram(position: number, timestampMs: number, value: Histogram): void;
  addExemplar(position: number, exemplar: Omit<AppendBatch["exemplars"][number], "position">): void;
  addMetadata(metadata: Metadata): void;
  /** How many samples and histograms are in it. */
  size(): number;
  /** What was added; the builder is empty afterwards. */
  finish(): AppendBatch;
}

/** An empty batch of whoever brings it. */
export function createAppendBatch(origin: Origin = "outside"): AppendBatchBuilder {
  let columns = createColumns(FIRST_SAMPLES);
  let rows = createRows();

  function add(position: number, timestampMs: number): number {
    if (rows.count === columns.values.length) columns = grow(columns);
    columns.positions[rows.count] = position;
    columns.timestampsMs[rows.count] = timestampMs;
    return rows.count++;
  }

  return {
    addSeries: (labels) => rows.series.push(labels) - 1,
    addSample: (position, timestampMs, value) => {
      // First the place: columns that grow on the way are others.
      const at = add(position, timestampMs);
      columns.values[at] = value;
    },
    addStale: (position, timestampMs) => {
      const at = add(position, timestampMs);
      setStaleAt(columns.values, at);
    },
    addHistogram: (position, timestampMs, value) => {
      rows.histograms.push({ position, timestampMs, value });
    },
    addExemplar: (position, exemplar) => void rows.exemplars.push({ position, ...exemplar }),
    addMetadata: (metadata) => void rows.metadata.push(metadata),
    size: () => rows.count + rows.histograms.length,
    finish() {
      const { count, ...rest } = rows;
      const { positions, timestampsMs, values } = columns;
      rows = createRows();
      return {
        ...rest,
        origin,
        positions: positions.slice(0, count),
        timestampsMs: timestampsMs.slice(0, count),
        // A copy of bytes: a copy of numbers might change the bits of a staleness marker.
        values: new Float64Array(values.buffer.slice(0, count * values.BYTES_PER_ELEMENT)),
      };
    },
  };
}

interface Rows {
  count: number;
  series: (readonly LabelPair[])[];
  histograms: AppendBatch["histograms"][number][];
  exemplars: AppendBatch["exemplars"][number][];
  metadata: Metadata[];
}

function createRows(): Rows {
  return { count: 0, series: [], histograms: [], exemplars: [], metadata: [] };
}

function createColumns(capacity: number) {
  return {
    positions: new Uint32Array(capacity),
    timestampsMs: new Float64Array(capacity),
    values: new Float64Array(capacity),
  };
}

function grow(columns: ReturnType<typeof createColumns>) {
  const larger = createColumns(columns.values.length * 2);
  larger.positions.set(columns.positions);
  larger.timestampsMs.set(columns.timestampsMs);
  new Uint8Array(larger.values.buffer).set(new Uint8Array(columns.values.buffer));
  return larger;
}
