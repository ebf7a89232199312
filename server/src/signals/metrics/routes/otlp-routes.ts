import { ProtoWriter } from "@mainstay/metrics/protobuf";
import { BYTES, reply, type Headers, type Http } from "../../../kernel/http/index.ts";
import { describeRefused } from "../refused.ts";
import { MetricsError, type AppendOutcome, type Delivery, type MetricsStore } from "../metrics-store.ts";
import { readBytes } from "./read-bytes.ts";

const PROTOBUF = "application/x-protobuf";
const JSON_TYPE = "application/json";
/** Codes of google.rpc.Status. */
const INVALID_ARGUMENT = 3;
const UNAVAILABLE = 14;
const VARINT = 0;
const BYTES_TYPE = 2;

export interface OtlpRoutesDependencies {
  store: Pick<MetricsStore, "ingest">;
  bodyBytes: number;
}

/** The receiver of OTLP/HTTP metrics, under the path of the protocol and under that of Prometheus. */
export function addOtlpRoutes(http: Http, { store, bodyBytes }: OtlpRoutesDependencies): void {
  for (const url of ["/otlp/v1/metrics", "/prometheus/api/v1/otlp/v1/metrics"]) {
    http.route({
      method: "POST",
      url,
      permission: "metrics.write",
      tags: ["metrics"],
      summary: "OTLP/HTTP metrics, as protobuf or JSON",
      takesBasic: true,
      takes: [PROTOBUF, JSON_TYPE],
      bytes: PROTOBUF,
      response: BYTES,
      statuses: [200, 400, 413, 415, 503],
      handler: async ({ content, headers }) => {
        const type = isJson(headers) ? JSON_TYPE : PROTOBUF;
        const encoding = String(headers["content-encoding"] ?? "identity").toLowerCase();
        if (encoding !== "identity" && encoding !== "gzip")
          return refuse(type, 415, `the encoding is gzip or none, not ${encoding}`);
        const bytes = await readBytes(content, bodyBytes);
        if (bytes === null)
          return refuse(type, 413, `the request is larger than metrics.bodyLimit, ${bodyBytes} bytes`);
        const protocol = type === JSON_TYPE ? "otlp-json" : "otlp-protobuf";
        return answerTo(type, store.ingest({ protocol, encoding, bytes } satisfies Delivery));
      },
    });
  }
}

function isJson(headers: Headers): boolean {
  return String(headers["content-type"] ?? "").startsWith(JSON_TYPE);
}

/** What was refused is told as a partial success: it must not be sent again. (OTLP, "Partial Success".) */
async function answerTo(type: string, ingested: Promise<AppendOutcome>) {
  try {
    const { refused } = await ingested;
    const count = refused.reduce((sum, each) => sum + each.count, 0);
    const headers = { "content-type": type };
    return reply({ status: 200, headers, body: partialSuccess(type, count, describeRefused(refused)) });
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    const isTheirs = error.fault === "parse" || error.fault === "malformed";
    return refuse(type, isTheirs ? 400 : 503, error.message);
  }
}

/** `ExportMetricsServiceResponse`. */
function partialSuccess(type: string, rejected: number, message: string): Uint8Array {
  if (type === JSON_TYPE) {
    const partial = { rejectedDataPoints: String(rejected), errorMessage: message };
    return Buffer.from(JSON.stringify(rejected === 0 ? {} : { partialSuccess: partial }));
  }
  const writer = new ProtoWriter();
  if (rejected > 0) {
    writer.varint(tag(1, BYTES_TYPE));
    writer.within(() => {
      writer.varint(tag(1, VARINT));
      writer.varint(rejected);
      writer.varint(tag(2, BYTES_TYPE));
      writer.text(message);
    });
  }
  return writer.finish();
}

/** `google.rpc.Status`. */
function refuse(type: string, status: number, message: string) {
  const code = status === 503 ? UNAVAILABLE : INVALID_ARGUMENT;
  const headers = { "content-type": type, ...(status === 503 ? { "retry-after": "5" } : {}) };
  if (type === JSON_TYPE)
    return reply({ status, headers, body: Buffer.from(JSON.stringify({ code, message })) });
  const writer = new ProtoWriter();
  writer.varint(tag(1, VARINT));
  writer.varint(code);
  writer.varint(tag(2, BYTES_TYPE));
  writer.text(message);
  return reply({ status, headers, body: writer.finish() });
}

function tag(field: number, wireType: number): number {
  return field * 8 + wireType;
}
