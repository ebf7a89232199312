import type { FollowedFrame, ReadingPlace } from "@mainstay/metrics/tsdb";
import type { OutgoingLabels, OutgoingMetadata, OutgoingSeries } from "@mainstay/metrics/wire";

/** A series as it is sent. */
export interface OutgoingName {
  labels: OutgoingLabels;
  metadata: OutgoingMetadata | null;
}

/** What becomes of a reference: a series as it is sent, or why its samples are not. */
export type NameOf = (ref: number) => OutgoingName | "relabelling" | "unknown-series";

export interface Taking {
  nameOf: NameOf;
  sendsExemplars: boolean;
  sendsNativeHistograms: boolean;
  drop(reason: string, samples: number): void;
}

/** Samples that are sent in one request. */
export interface OutgoingBatch {
  /** Takes what it has room for, from an item of the frame on; answers where it stopped. */
  take(frame: FollowedFrame, item: number): number;
  /** Floats and native histograms. */
  samples(): number;
  isFull(): boolean;
  isEmpty(): boolean;
  /** Leaves out what is older, and answers how many samples. */
  dropBefore(timeMs: number): number;
  /** -Infinity for an empty one. */
  newestMs(): number;
  /** The samples of each series in the order of time. */
  series(): OutgoingSeries[];
  /** Behind everything that was taken. */
  end: ReadingPlace | null;
}

type Histograms = NonNullable<OutgoingSeries["histograms"]>;
type Exemplars = NonNullable<OutgoingSeries["exemplars"]>;

interface Draft {
  name: OutgoingName;
  histograms: Histograms[number][];
  exemplars: Exemplars[number][];
}

/** Nobody alters it: most series bring neither histograms nor exemplars. */
const NONE: never[] = [];

/** How many items a frame has: samples, then histograms, then exemplars. */
export function itemsOf({ samples, histograms, exemplars }: FollowedFrame): number {
  return samples.reduce((sum, { count }) => sum + count, histograms.length + exemplars.length);
}

export function createOutgoingBatch(capacity: number, taking: Taking): OutgoingBatch {
  const { nameOf, drop } = taking;
  const rows = createRows(capacity);
  const numbers = new Map<number, number>();
  const drafts: Draft[] = [];
  let histograms = 0;
  let exemplars = 0;

  const samples = () => rows.count() + histograms;

  /** The number of the series in this batch, or why it is not in it. */
  function numberOf(ref: number): number | string {
    const known = numbers.get(ref);
    if (known !== undefined) return known;
    const name = nameOf(ref);
    if (typeof name === "string") return name;
    numbers.set(ref, drafts.length);
    return drafts.push({ name, histograms: NONE, exemplars: NONE }) - 1;
  }

  function draftOf(ref: number): Draft | string {
    const number = numberOf(ref);
    return typeof number === "string" ? number : (drafts[number] ?? "unknown-series");
  }

  function takeSamples({ samples: batches }: FollowedFrame, item: number): number {
    let first = 0;
    for (const { refs, timestampsMs, values, count } of batches) {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
      for (let index = Math.max(0, item - first); index < count; index++) {
        if (samples() === capacity) return first + index;
        const number = numberOf(refs[index] ?? 0);
        if (typeof number === "string") drop(number, 1);
        else rows.add({ number, timeMs: timestampsMs[index] ?? 0, bits, index });
      }
      first += count;
    }
    return Math.max(item, first);
  }

  function takeHistogram({ ref, timestampMs, value }: FollowedFrame["histograms"][number]): void {
    const draft = taking.sendsNativeHistograms ? draftOf(ref) : "native-histograms";
    if (typeof draft === "string") return drop(draft, 1);
    if (draft.histograms === NONE) draft.histograms = [];
    draft.histograms.push({ timestampMs, value });
    histograms++;
  }

  function takeExemplar({ ref, labels, ...exemplar }: FollowedFrame["exemplars"][number]): void {
    const draft = taking.sendsExemplars ? draftOf(ref) : "";
    if (typeof draft === "string") return;
    if (draft.exemplars === NONE) draft.exemplars = [];
    const pairs = labels.names.map((name, at): [string, string] => [name, labels.values[at] ?? ""]);
    draft.exemplars.push({ labels: pairs, ...exemplar });
    exemplars++;
  }

  return {
    end: null,
    take(frame, item) {
      const floats = frame.samples.reduce((sum, { count }) => sum + count, 0);
      let at = takeSamples(frame, item);
      for (; at >= floats && at < floats + frame.histograms.length; at++) {
        const histogram = frame.histograms[at - floats];
        if (samples() === capacity) return at;
        if (histogram) takeHistogram(histogram);
      }
      if (at < floats + frame.histograms.length) return at;
      for (const exemplar of frame.exemplars.slice(at - floats - frame.histograms.length))
        takeExemplar(exemplar);
      return itemsOf(frame);
    },
    samples,
    isFull: () => samples() === capacity,
    isEmpty: () => samples() + exemplars === 0,
    dropBefore(timeMs) {
      const before = samples();
      rows.dropBefore(timeMs);
      for (const draft of drafts) {
        draft.histograms = draft.histograms.filter(({ timestampMs }) => timestampMs >= timeMs);
        draft.exemplars = draft.exemplars.filter(({ timestampMs }) => timestampMs >= timeMs);
      }
      histograms = drafts.reduce((sum, draft) => sum + draft.histograms.length, 0);
      exemplars = drafts.reduce((sum, draft) => sum + draft.exemplars.length, 0);
      return before - samples();
    },
    newestMs: () =>
      drafts.reduce(
        (newest, draft) => draft.histograms.reduce((max, each) => Math.max(max, each.timestampMs), newest),
        rows.newestMs(),
      ),
    series() {
      const sorted = rows.bySeries(drafts.length);
      return drafts.flatMap(({ name, histograms: unsorted, exemplars: all }, number) => {
        const [from = 0, to = 0] = [sorted.ends[number - 1], sorted.ends[number]];
        if (from === to && unsorted.length + all.length === 0) return [];
        const inTime = unsorted.toSorted((a, b) => a.timestampMs - b.timestampMs);
        const { timestampsMs, values } = sorted;
        return [{ ...name, timestampsMs, values, from, to, histograms: inTime, exemplars: all }];
      });
    },
  };
}

interface Row {
  number: number;
  timeMs: number;
  /** The value, as two words of a column. */
  bits: Uint32Array;
  index: number;
}

/** Samples of many series in columns, in the order in which they came. */
function createRows(capacity: number) {
  const numbers = new Uint32Array(capacity);
  const timesMs = new Float64Array(capacity);
  const words = new Uint32Array(capacity * 2);
  let count = 0;

  function put(at: number, { number, timeMs, bits, index }: Row): void {
    numbers[at] = number;
    timesMs[at] = timeMs;
    words[at * 2] = bits[index * 2] ?? 0;
    words[at * 2 + 1] = bits[index * 2 + 1] ?? 0;
  }

  /** Positions by series, and within each by time. */
  function order(seriesCount: number): { positions: Uint32Array; ends: Uint32Array } {
    const ends = new Uint32Array(seriesCount);
    for (let at = 0; at < count; at++) ends[numbers[at] ?? 0]! += 1;
    for (let number = 1; number < seriesCount; number++) ends[number]! += ends[number - 1] ?? 0;
    const positions = new Uint32Array(count);
    const next = ends.slice();
    for (let at = count - 1; at >= 0; at--) positions[(next[numbers[at] ?? 0]! -= 1)] = at;
    return { positions, ends };
  }

  return {
    count: () => count,
    add: (row: Row) => put(count++, row),
    newestMs: () => timesMs.subarray(0, count).reduce((newest, each) => Math.max(newest, each), -Infinity),
    dropBefore(timeMs: number): void {
      const all = count;
      count = 0;
      for (let at = 0; at < all; at++) {
        const row = { number: numbers[at] ?? 0, timeMs: timesMs[at] ?? 0, bits: words, index: at };
        if (row.timeMs >= timeMs) put(count++, row);
      }
    },
    /** Columns in which the samples of a series stand together: until `ends` of its number. */
    bySeries(seriesCount: number) {
      const { positions, ends } = order(seriesCount);
      const values = new Float64Array(count);
      const bits = new Uint32Array(values.buffer);
      const timestampsMs = new Float64Array(count);
      sortLate(positions, { ends, timesMs });
      positions.forEach((from, to) => {
        timestampsMs[to] = timesMs[from] ?? 0;
        bits[to * 2] = words[from * 2] ?? 0;
        bits[to * 2 + 1] = words[from * 2 + 1] ?? 0;
      });
      return { timestampsMs, values, ends };
    },
  };
}

/** Late samples stand where their time is. ("… in the timestamp order", Remote-Write 2.0, "Ordering".) */
function sortLate(
  positions: Uint32Array,
  { ends, timesMs }: { ends: Uint32Array; timesMs: Float64Array },
): void {
  const timeAt = (position: number | undefined) => timesMs[position ?? 0] ?? 0;
  let from = 0;
  for (const to of ends) {
    const isLate = (at: number) => timeAt(positions[at]) < timeAt(positions[at - 1]);
    for (let at = from + 1; at < to; at++) {
      if (!isLate(at)) continue;
      positions.subarray(from, to).sort((a, b) => timeAt(a) - timeAt(b));
      break;
    }
    from = to;
  }
}
