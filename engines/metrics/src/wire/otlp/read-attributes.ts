import { BYTES, FIXED_64, readMessage, tagOf, VARINT, type ProtoReader } from "../protobuf/proto-reader.ts";
import { WireError } from "../wire-error.ts";

/** Arrays within arrays end somewhere. */
const DEPTH_MAX = 16;

export type AnyValue = string | number | boolean | null | AnyValue[] | { [key: string]: AnyValue };

/** A `KeyValue`: its value as a text. */
export function readAttribute(reader: ProtoReader): readonly [key: string, value: string] {
  const [key, value] = readKeyValue(reader, 0);
  return [key, textOf(value)];
}

/**
 * Texts as they are, everything else as JSON writes it. (OpenTelemetry, "Attribute to label" for
 * Prometheus.)
 */
export function textOf(value: AnyValue): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function readKeyValue(reader: ProtoReader, depth: number): [string, AnyValue] {
  let key = "";
  let value: AnyValue = null;
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, BYTES)) key = reader.text();
    else if (tag === tagOf(2, BYTES)) value = readAnyValue(reader, depth);
    else return false;
    return true;
  });
  return [key, value];
}

function readAnyValue(reader: ProtoReader, depth: number): AnyValue {
  if (depth > DEPTH_MAX) throw new WireError(`an attribute is nested deeper than ${DEPTH_MAX} levels`);
  let value: AnyValue = null;
  readMessage(reader, (tag) => {
    if (tag === tagOf(1, BYTES)) value = reader.text();
    else if (tag === tagOf(2, VARINT)) value = reader.varint() !== 0;
    else if (tag === tagOf(3, VARINT)) value = reader.int();
    else if (tag === tagOf(4, FIXED_64)) value = reader.double();
    else if (tag === tagOf(5, BYTES)) value = readList(reader, () => readAnyValue(reader, depth + 1));
    else if (tag === tagOf(6, BYTES)) {
      value = Object.fromEntries(readList(reader, () => readKeyValue(reader, depth + 1)));
    } else if (tag === tagOf(7, BYTES)) value = Buffer.from(takeBytes(reader)).toString("base64");
    else return false;
    return true;
  });
  return value;
}

function readList<T>(reader: ProtoReader, readOne: () => T): T[] {
  const values: T[] = [];
  readMessage(reader, (tag) => {
    if (tag !== tagOf(1, BYTES)) return false;
    values.push(readOne());
    return true;
  });
  return values;
}

/** An identifier of a trace or a span. */
export function readBytesAsHex(reader: ProtoReader): string {
  return Buffer.from(takeBytes(reader)).toString("hex");
}

function takeBytes(reader: ProtoReader): Uint8Array {
  const outer = reader.enter();
  const bytes = reader.bytes.subarray(reader.at, reader.end);
  reader.at = reader.end;
  reader.end = outer;
  return bytes;
}
