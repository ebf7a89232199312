import { BYTES, reply, type Headers, type Http } from "../../../kernel/http/index.ts";
import { describeRefused } from "../refused.ts";
import { MetricsError, type AppendOutcome, type Delivery, type MetricsStore } from "../metrics-store.ts";
import { readBytes } from "./read-bytes.ts";

const PROTOBUF = "application/x-protobuf";
const PROTOCOLS: Readonly<Record<string, Delivery["protocol"]>> = {
  "prometheus.writerequest": "remote-write-1",
  "io.prometheus.write.v2.request": "remote-write-2",
};
const TEXT = { "content-type": "text/plain; charset=utf-8" };

export interface WriteRoutesDependencies {
  store: Pick<MetricsStore, "ingest">;
  bodyBytes: number;
}

/** The receiver of remote-write 1.0 and 2.0. */
export function addWriteRoutes(http: Http, { store, bodyBytes }: WriteRoutesDependencies): void {
  http.route({
    method: "POST",
    url: "/prometheus/api/v1/write",
    permission: "metrics.write",
    tags: ["metrics"],
    summary: "Remote-write 1.0 and 2.0",
    takesBasic: true,
    takes: [PROTOBUF],
    bytes: "text/plain",
    response: BYTES,
    statuses: [204, 400, 413, 415, 503],
    handler: async ({ content, headers }) => {
      const protocol = protocolOf(headers);
      if (protocol === null)
        return refuse(415, `the proto of ${PROTOBUF} is ${Object.keys(PROTOCOLS).join(" or ")}`);
      const encoding = String(headers["content-encoding"] ?? "snappy").toLowerCase();
      if (encoding !== "snappy") return refuse(415, `the encoding is snappy, not ${encoding}`);
      const bytes = await readBytes(content, bodyBytes);
      if (bytes === null)
        return refuse(413, `the request is larger than metrics.bodyLimit, ${bodyBytes} bytes`);
      return answerTo(store.ingest({ protocol, encoding, bytes }));
    },
  });
}

/** Without a parameter it is 1.0. (Remote-Write 2.0, "Protocol".) */
function protocolOf(headers: Headers): Delivery["protocol"] | null {
  const parameters = String(headers["content-type"] ?? "")
    .split(";")
    .slice(1);
  const proto = parameters
    .map((each) => each.trim().split("="))
    .find(([name = ""]) => name.trim().toLowerCase() === "proto")?.[1];
  if (proto === undefined) return "remote-write-1";
  return PROTOCOLS[proto.trim().replaceAll('"', "").toLowerCase()] ?? null;
}

/**
 * What was written is told in headers in any case; what was refused must not be sent again, hence 400.
 * (Remote-Write 2.0, "Partial Write".)
 */
async function answerTo(ingested: Promise<AppendOutcome>) {
  try {
    const { written, refused } = await ingested;
    const headers = writtenHeaders(written);
    if (refused.length === 0) return reply({ status: 204, headers, body: new Uint8Array(0) });
    return refuse(400, describeRefused(refused), headers);
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    const headers = writtenHeaders({ samples: 0, histograms: 0, exemplars: 0 });
    if (error.fault === "parse" || error.fault === "malformed") return refuse(400, error.message, headers);
    return refuse(503, error.message, { ...headers, "retry-after": "5" });
  }
}

function writtenHeaders({ samples, histograms, exemplars }: AppendOutcome["written"]) {
  return {
    "x-prometheus-remote-write-samples-written": String(samples),
    "x-prometheus-remote-write-histograms-written": String(histograms),
    "x-prometheus-remote-write-exemplars-written": String(exemplars),
  };
}

function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
  return reply({ status, headers: { ...TEXT, ...headers }, body: Buffer.from(`${message}\n`) });
}
