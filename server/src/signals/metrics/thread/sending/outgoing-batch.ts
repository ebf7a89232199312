import type { Labels } from "@mainstay/metrics/model";
import type { FollowedFrame, ReadingPlace } from "@mainstay/metrics/tsdb";
import type { OutgoingMetadata, OutgoingSeries } from "@mainstay/metrics/wire";

type Pair = readonly [string, string];

/** A series as it is sent. */
export interface OutgoingName {
  labels: readonly Pair[];
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

interface Draft extends OutgoingName {
  timesMs: number[];
  /** Where the values stand in the column of the batch. */
  places: number[];
  histograms: { timestampMs: number; value: FollowedFrame["histograms"][number]["value"] }[];
  exemplars: { labels: readonly Pair[]; value: number; timestampMs: number }[];
}

/** How many items a frame has: samples, then histograms, then exemplars. */
export function itemsOf({ samples, histograms, exemplars }: FollowedFrame): number {
  return samples.reduce((sum, { count }) => sum + count, histograms.length + exemplars.length);
}

export function createOutgoingBatch(capacity: number, taking: Taking): OutgoingBatch {
  const { nameOf, drop } = taking;
  const words = new Uint32Array(capacity * 2);
  const drafts = new Map<number, Draft>();
  let samples = 0;
  let place = 0;

  function draftOf(ref: number): Draft | string {
    const known = drafts.get(ref);
    if (known !== undefined) return known;
    const name = nameOf(ref);
    if (typeof name === "string") return name;
    const draft: Draft = { ...name, timesMs: [], places: [], histograms: [], exemplars: [] };
    drafts.set(ref, draft);
    return draft;
  }

  function takeSamples({ samples: batches }: FollowedFrame, item: number): number {
    let first = 0;
    for (const { refs, timestampsMs, values, count } of batches) {
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
      for (let index = Math.max(0, item - first); index < count; index++) {
        if (samples === capacity) return first + index;
        const draft = draftOf(refs[index] ?? 0);
        if (typeof draft === "string") {
          drop(draft, 1);
          continue;
        }
        words[place * 2] = bits[index * 2] ?? 0;
        words[place * 2 + 1] = bits[index * 2 + 1] ?? 0;
        draft.timesMs.push(timestampsMs[index] ?? 0);
        draft.places.push(place++);
        samples++;
      }
      first += count;
    }
    return Math.max(item, first);
  }

  function takeHistogram({ ref, timestampMs, value }: FollowedFrame["histograms"][number]): void {
    const draft = taking.sendsNativeHistograms ? draftOf(ref) : "native-histograms";
    if (typeof draft === "string") return drop(draft, 1);
    draft.histograms.push({ timestampMs, value });
    samples++;
  }

  function takeExemplar({ ref, labels, ...exemplar }: FollowedFrame["exemplars"][number]): void {
    const draft = taking.sendsExemplars ? draftOf(ref) : null;
    if (draft === null || typeof draft === "string") return;
    draft.exemplars.push({ labels: pairsOf(labels), ...exemplar });
  }

  return {
    end: null,
    take(frame, item) {
      const floats = frame.samples.reduce((sum, { count }) => sum + count, 0);
      let at = takeSamples(frame, item);
      for (; at >= floats && at < floats + frame.histograms.length; at++) {
        const histogram = frame.histograms[at - floats];
        if (samples === capacity) return at;
        if (histogram) takeHistogram(histogram);
      }
      if (at < floats + frame.histograms.length) return at;
      for (const exemplar of frame.exemplars.slice(at - floats - frame.histograms.length))
        takeExemplar(exemplar);
      return itemsOf(frame);
    },
    samples: () => samples,
    isFull: () => samples === capacity,
    isEmpty: () => drafts.values().every((draft) => sizeOf(draft) + draft.exemplars.length === 0),
    dropBefore(timeMs) {
      const before = samples;
      samples = 0;
      for (const draft of drafts.values()) {
        leaveOut(draft, timeMs);
        samples += sizeOf(draft);
      }
      return before - samples;
    },
    newestMs: () => drafts.values().reduce((newest, draft) => Math.max(newest, newestOf(draft)), -Infinity),
    series: () =>
      [...drafts.values()]
        .filter((draft) => sizeOf(draft) + draft.exemplars.length > 0)
        .map((draft) => outgoing(draft, words)),
  };
}

/** Names and values of labels, in turn. */
export function pairsOf({ names, values }: Labels): Pair[] {
  return names.map((name, index) => [name, values[index] ?? ""]);
}

function sizeOf({ places, histograms }: Draft): number {
  return places.length + histograms.length;
}

function newestOf({ timesMs, histograms }: Draft): number {
  return Math.max(-Infinity, ...timesMs, ...histograms.map(({ timestampMs }) => timestampMs));
}

function leaveOut(draft: Draft, timeMs: number): void {
  if (draft.timesMs.some((each) => each < timeMs)) {
    draft.places = draft.places.filter((_, index) => (draft.timesMs[index] ?? 0) >= timeMs);
    draft.timesMs = draft.timesMs.filter((each) => each >= timeMs);
  }
  draft.histograms = draft.histograms.filter(({ timestampMs }) => timestampMs >= timeMs);
  draft.exemplars = draft.exemplars.filter(({ timestampMs }) => timestampMs >= timeMs);
}

/** Late samples stand where their time is. ("… in the timestamp order", Remote-Write 2.0, "Ordering".) */
function outgoing({ timesMs, places, ...draft }: Draft, words: Uint32Array): OutgoingSeries {
  const order = [...timesMs.keys()];
  if (timesMs.some((timeMs, index) => timeMs < (timesMs[index - 1] ?? -Infinity)))
    order.sort((a, b) => (timesMs[a] ?? 0) - (timesMs[b] ?? 0));
  const values = new Float64Array(order.length);
  const bits = new Uint32Array(values.buffer);
  order.forEach((from, to) => {
    const at = (places[from] ?? 0) * 2;
    bits[to * 2] = words[at] ?? 0;
    bits[to * 2 + 1] = words[at + 1] ?? 0;
  });
  const histograms = draft.histograms.toSorted((a, b) => a.timestampMs - b.timestampMs);
  return { ...draft, histograms, timestampsMs: order.map((index) => timesMs[index] ?? 0), values };
}
