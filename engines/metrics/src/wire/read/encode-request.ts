import { compressSync } from "snappy";
import type { Matcher, MatcherOperator } from "../../storage.ts";
import { BYTES, tagOf, VARINT } from "../protobuf/proto-reader.ts";
import { ProtoWriter } from "../protobuf/proto-writer.ts";
import type { ReadQuery } from "./read-request.ts";

const TYPES: readonly MatcherOperator[] = ["=", "!=", "=~", "!~"];
const FORMS = { samples: 0, chunks: 1 } as const;

/** A `prometheus.ReadRequest`, compressed, that takes an answer of one form. */
export function encodeReadRequest(
  queries: readonly Pick<ReadQuery, "fromMs" | "toMs" | "matchers">[],
  form: keyof typeof FORMS,
): Uint8Array<ArrayBuffer> {
  const writer = new ProtoWriter();
  for (const { fromMs, toMs, matchers } of queries) {
    writer.varint(tagOf(1, BYTES));
    writer.within(() => {
      writer.varint(tagOf(1, VARINT));
      writer.int(fromMs);
      writer.varint(tagOf(2, VARINT));
      writer.int(toMs);
      for (const matcher of matchers) {
        writer.varint(tagOf(3, BYTES));
        writer.within(() => writeMatcher(writer, matcher));
      }
    });
  }
  writer.varint(tagOf(2, VARINT));
  writer.varint(FORMS[form]);
  return new Uint8Array(compressSync(Buffer.from(writer.finish()), { copyOutputData: true }));
}

function writeMatcher(writer: ProtoWriter, { name, operator, value }: Matcher): void {
  writer.varint(tagOf(1, VARINT));
  writer.varint(TYPES.indexOf(operator));
  writer.varint(tagOf(2, BYTES));
  writer.text(name);
  writer.varint(tagOf(3, BYTES));
  writer.text(value);
}
