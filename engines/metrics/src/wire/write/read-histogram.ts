import { CUSTOM_BUCKETS_SCHEMA, type Buckets, type Histogram, type ResetHint } from "../../histogram.ts";
import {
  BYTES,
  FIXED_64,
  readMessage,
  readRepeated,
  tagOf,
  VARINT,
  type ProtoReader,
} from "../protobuf/proto-reader.ts";
import { WireError } from "../wire-error.ts";
import type { WrittenHistogram } from "./write-request.ts";

const RESET_HINTS: readonly ResetHint[] = ["unknown", "reset", "not-reset", "gauge"];
const SCHEMA_MIN = -4;
const SCHEMA_MAX = 8;
/** Far more than any client makes; a request must not make the server allocate without end. */
const BUCKETS_MAX = 10_000;
/** Bits of a staleness marker in the sum. */
const STALE_LOW = 2;
const STALE_HIGH = 0x7ff0_0000;

interface Draft {
  schema: number;
  count: number;
  zeroThreshold: number;
  zeroCount: number;
  timestampMs: number;
  resetHint: ResetHint;
  startMs: number | null;
}

/**
 * The message Histogram, which is the same in remote-write 1 and 2. Throws WireError for one that
 * contradicts itself.
 */
export function readHistogram(reader: ProtoReader): WrittenHistogram {
  const draft: Draft = {
    ...{ schema: 0, count: 0, zeroThreshold: 0, zeroCount: 0, timestampMs: 0 },
    ...{ resetHint: "unknown", startMs: null },
  };
  const sumWords = new Uint32Array(2);
  const positive = createSide();
  const negative = createSide();
  const customBounds: number[] = [];
  const doubles = { read: () => reader.double() };
  const take: Record<number, (tag: number) => void> = {
    [tagOf(1, VARINT)]: () => (draft.count = reader.varint()),
    [tagOf(2, FIXED_64)]: () => (draft.count = reader.double()),
    [tagOf(3, FIXED_64)]: () => reader.doubleInto(sumWords, 0),
    [tagOf(4, VARINT)]: () => (draft.schema = reader.zigzag()),
    [tagOf(5, FIXED_64)]: () => (draft.zeroThreshold = reader.double()),
    [tagOf(6, VARINT)]: () => (draft.zeroCount = reader.varint()),
    [tagOf(7, FIXED_64)]: () => (draft.zeroCount = reader.double()),
    [tagOf(14, VARINT)]: () => (draft.resetHint = RESET_HINTS[reader.varint()] ?? "unknown"),
    [tagOf(15, VARINT)]: () => (draft.timestampMs = reader.int()),
    [tagOf(17, VARINT)]: () => (draft.startMs = reader.int()),
  };
  readMessage(reader, (tag) => {
    const simple = take[tag];
    if (simple) {
      simple(tag);
      return true;
    }
    const field = tag >>> 3;
    if (field === 16) readRepeated(reader, tag, { ...doubles, add: (bound) => customBounds.push(bound) });
    else if (field === 8 || field === 11) (field === 8 ? negative : positive).addSpan(reader, tag);
    else if (field === 9 || field === 12) (field === 9 ? negative : positive).addDeltas(reader, tag);
    else if (field === 10 || field === 13) (field === 10 ? negative : positive).addCounts(reader, tag);
    else return false;
    return true;
  });
  const { timestampMs, startMs, ...rest } = draft;
  const isStale = sumWords[0] === STALE_LOW && sumWords[1] === STALE_HIGH;
  const histogram: Histogram = {
    ...rest,
    sum: new Float64Array(sumWords.buffer)[0] ?? 0,
    ...{ positive: positive.finish("positive"), negative: negative.finish("negative") },
    customBounds,
  };
  if (!isStale) check(histogram);
  return { timestampMs, histogram, isStale, startMs };
}

/** Buckets on one side of zero: integer histograms write differences, float histograms counts. */
function createSide() {
  const indexes: number[] = [];
  const counts: number[] = [];
  let total = 0;
  let next = 0;

  function add(count: number): void {
    if (count < 0) throw new WireError("a bucket of a histogram is negative");
    if (counts.length >= BUCKETS_MAX) throw new WireError(`a histogram has more than ${BUCKETS_MAX} buckets`);
    counts.push(count);
  }

  /** A run of neighbouring buckets; its offset counts from the end of the one before. */
  function addSpan(offset: number, length: number): void {
    if (offset < 0 && indexes.length > 0) throw new WireError("two spans of a histogram overlap");
    if (indexes.length + length > BUCKETS_MAX) {
      throw new WireError(`a histogram has more than ${BUCKETS_MAX} buckets`);
    }
    next += offset;
    for (let count = 0; count < length; count++) indexes.push(next++);
  }

  return {
    addSpan(reader: ProtoReader, tag: number): void {
      if (tag % 8 !== BYTES) throw new WireError("a span of a histogram is no message");
      let offset = 0;
      let length = 0;
      readMessage(reader, (inner) => {
        if (inner === tagOf(1, VARINT)) offset = reader.zigzag();
        else if (inner === tagOf(2, VARINT)) length = reader.varint();
        else return false;
        return true;
      });
      addSpan(offset, length);
    },
    addDeltas(reader: ProtoReader, tag: number): void {
      readRepeated(reader, tag, { read: () => reader.zigzag(), add: (delta) => add((total += delta)) });
    },
    addCounts(reader: ProtoReader, tag: number): void {
      readRepeated(reader, tag, { read: () => reader.double(), add });
    },
    finish(side: string): Buckets {
      if (indexes.length !== counts.length) {
        throw new WireError(
          `the ${side} spans of a histogram hold ${indexes.length} buckets, and ${counts.length} are given`,
        );
      }
      return { indexes: Int32Array.from(indexes), counts: Float64Array.from(counts) };
    },
  };
}

function check({ schema, positive, negative, customBounds }: Histogram): void {
  const isCustom = schema === CUSTOM_BUCKETS_SCHEMA;
  if (!isCustom && (schema < SCHEMA_MIN || schema > SCHEMA_MAX)) {
    throw new WireError(`a histogram has the unknown schema ${schema}`);
  }
  if (!isCustom) return;
  if (negative.indexes.length > 0) throw new WireError("a histogram with custom bounds has negative buckets");
  if (customBounds.some((bound, index) => !(bound > (customBounds[index - 1] ?? -Infinity)))) {
    throw new WireError("the custom bounds of a histogram do not rise");
  }
  const last = positive.indexes.at(-1) ?? 0;
  if (last > customBounds.length || (positive.indexes[0] ?? 0) < 0) {
    throw new WireError(`a histogram has a bucket ${last} and ${customBounds.length} custom bounds`);
  }
}
