import { RE2JS } from "re2js";
import type { Matcher, MatcherOperator, SelectHints } from "../../storage.ts";
import {
  BYTES,
  ProtoReader,
  readFields,
  readMessage,
  readRepeated,
  tagOf,
  VARINT,
} from "../protobuf/proto-reader.ts";
import { WireError } from "../wire-error.ts";

/** What a `prometheus.ReadRequest` asks for. */
export interface ReadRequest {
  queries: readonly ReadQuery[];
  /** The first form of an answer that is known here, of those that the asker knows. */
  form: "samples" | "chunks";
}

export interface ReadQuery {
  /** Both are in. */
  fromMs: number;
  toMs: number;
  matchers: readonly Matcher[];
  /** What the asker makes of the samples. */
  hints: SelectHints;
}

const QUERIES_MAX = 1_000;
const MATCHERS_MAX = 1_000;
const PATTERN_CHARACTERS_MAX = 16 * 1024;
/** As far as a Date goes; whoever means everything says much more. */
const EVER_MS = 8.64e15;
const FORMS = ["samples", "chunks"] as const;
const OPERATORS: readonly MatcherOperator[] = ["=", "!=", "=~", "!~"];

/**
 * Reads a request of remote-read, already decompressed. Throws WireError at what
 * is no such message, has a matcher that is none, or knows no form of ours.
 */
export function readReadRequest(bytes: Uint8Array): ReadRequest {
  const reader = new ProtoReader(bytes);
  const queries: ReadQuery[] = [];
  const accepted: number[] = [];
  readFields(reader, (tag) => {
    if (tag === tagOf(1, BYTES)) queries.push(readQuery(reader));
    else if (tag >>> 3 === 2)
      readRepeated(reader, tag, { read: () => reader.varint(), add: (form) => accepted.push(form) });
    else return false;
    return true;
  });
  if (queries.length > QUERIES_MAX) throw new WireError(`a request has more than ${QUERIES_MAX} queries`);
  const form = accepted.length === 0 ? "samples" : accepted.map((each) => FORMS[each]).find(Boolean);
  if (form === undefined)
    throw new WireError(
      "the answer can have the form SAMPLES (0) or STREAMED_XOR_CHUNKS (1), and neither is accepted",
    );
  return { queries, form };
}

function readQuery(reader: ProtoReader): ReadQuery {
  let fromMs = 0;
  let toMs = 0;
  let hints: SelectHints = { stepMs: 0, rangeMs: 0, functionName: "" };
  const matchers: Matcher[] = [];
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, VARINT)) fromMs = reader.int();
    else if (tag === tagOf(2, VARINT)) toMs = reader.int();
    else if (tag === tagOf(3, BYTES)) matchers.push(readMatcher(reader));
    else if (tag === tagOf(4, BYTES)) hints = readHints(reader);
    else return false;
    return true;
  });
  if (matchers.length > MATCHERS_MAX) throw new WireError(`a query has more than ${MATCHERS_MAX} matchers`);
  return { fromMs: Math.max(fromMs, -EVER_MS), toMs: Math.min(toMs, EVER_MS), matchers, hints };
}

function readMatcher(reader: ProtoReader): Matcher {
  let type = 0;
  let name = "";
  let value = "";
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, VARINT)) type = reader.varint();
    else if (tag === tagOf(2, BYTES)) name = reader.text();
    else if (tag === tagOf(3, BYTES)) value = reader.text();
    else return false;
    return true;
  });
  const operator = OPERATORS[type];
  if (operator === undefined) throw new WireError(`a matcher has the unknown type ${type}`);
  if (operator === "=~" || operator === "!~") checkPattern(value);
  return { name, operator, value };
}

function checkPattern(pattern: string): void {
  if (pattern.length > PATTERN_CHARACTERS_MAX)
    throw new WireError(`a regular expression has more than ${PATTERN_CHARACTERS_MAX} characters`);
  try {
    RE2JS.compile(pattern);
  } catch (cause) {
    throw new WireError(`${JSON.stringify(pattern)} is no regular expression of RE2`, { cause });
  }
}

function readHints(reader: ProtoReader): SelectHints {
  let stepMs = 0;
  let rangeMs = 0;
  let functionName = "";
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, VARINT)) stepMs = reader.int();
    else if (tag === tagOf(2, BYTES)) functionName = reader.text();
    else if (tag === tagOf(7, VARINT)) rangeMs = reader.int();
    else return false;
    return true;
  });
  return { stepMs, rangeMs, functionName };
}
