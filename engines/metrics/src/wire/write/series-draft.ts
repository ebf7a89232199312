import { FIXED_64, tagOf, VARINT, type ProtoReader } from "../protobuf/proto-reader.ts";
import { SampleColumns } from "./sample-columns.ts";
import type { WrittenSeries } from "./write-request.ts";

const VALUE = tagOf(1, FIXED_64);
const TIMESTAMP = tagOf(2, VARINT);
/** With its tag, which is one byte as that of the time. */
const VALUE_BYTES = 9;
/** Of remote-write 2 alone; 1 has no such field. */
const START = tagOf(3, VARINT);
/** Nobody alters it: most series bring neither histograms nor exemplars. */
const NONE: never[] = [];

/** The one series that a reader hands on, filled anew for each; the same in both versions of the protocol. */
export class SeriesDraft {
  readonly columns = new SampleColumns();
  readonly series: WrittenSeries;

  constructor(parts: Pick<WrittenSeries, "labels" | "remember">) {
    const { timestampsMs, values, startsMs } = this.columns;
    const samples = { samples: 0, timestampsMs, values, startsMs };
    this.series = { ...parts, known: -1, ...samples, histograms: NONE, exemplars: NONE, metadata: null };
  }

  begin(): void {
    this.columns.clear();
    this.series.histograms = NONE;
    this.series.exemplars = NONE;
    this.series.metadata = null;
  }

  /** The sample that begins here. */
  readSample(reader: ProtoReader): void {
    const { columns } = this;
    const outer = reader.enter();
    const index = columns.add();
    // As nearly every sample is written: the value, then the time, and nothing else.
    const { bytes, at, end } = reader;
    if (at + VALUE_BYTES < end && bytes[at] === VALUE && bytes[at + VALUE_BYTES] === TIMESTAMP) {
      reader.at += 1;
      reader.doubleInto(columns.valueWords, index);
      reader.at += 1;
      reader.intInto(columns.timestampsMs, index);
    }
    while (reader.at < reader.end) {
      const tag = reader.tag();
      if (tag === VALUE) reader.doubleInto(columns.valueWords, index);
      else if (tag === TIMESTAMP) reader.intInto(columns.timestampsMs, index);
      else if (tag === START) reader.intInto(columns.startsMs, index);
      else reader.skip(tag);
    }
    reader.end = outer;
  }

  /** The columns may have grown, into others, since the last series. */
  end(): void {
    const { series, columns } = this;
    series.samples = columns.length;
    series.timestampsMs = columns.timestampsMs;
    series.values = columns.values;
    series.startsMs = columns.startsMs;
  }
}
