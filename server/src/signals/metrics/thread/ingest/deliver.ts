import { gunzipSync } from "node:zlib";
import { decompressSnappy } from "@mainstay/metrics/wire";
import { MetricsError, type AppendOutcome, type Delivery } from "../../metrics-store.ts";
import type { Intake } from "../intake.ts";
import type { ThreadSettings } from "../settings.ts";
import { takeOtlp } from "./otlp.ts";
import { createRemoteWrite } from "./remote-write.ts";

export interface DeliverDependencies {
  /** Of what comes from outside. */
  beginIntake(): Intake;
  settings: Pick<ThreadSettings, "bodyBytes" | "promotedAttributes">;
}

export type Deliver = (delivery: Delivery) => AppendOutcome;

/** Takes in what comes over the wire. */
export function createDeliver({ beginIntake, settings }: DeliverDependencies): Deliver {
  const { promotedAttributes } = settings;
  const writers = {
    "remote-write-1": createRemoteWrite(1),
    "remote-write-2": createRemoteWrite(2),
  };
  return (delivery) => {
    const plain = unpack(delivery, settings.bodyBytes);
    try {
      return take(delivery.protocol, plain);
    } finally {
      release(plain);
      release(delivery.bytes);
    }
  };

  function take(protocol: Delivery["protocol"], plain: Uint8Array): AppendOutcome {
    if (protocol === "otlp-protobuf" || protocol === "otlp-json")
      return takeOtlp(beginIntake(), plain, { protocol, promotedAttributes });
    const writer = writers[protocol];
    const outcome = writer.take(beginIntake(), plain);
    if (!outcome.refused.some(({ reason }) => reason === "unknown-series")) return outcome;
    // Series have ended since they were found: once more, with all of them looked up anew.
    writer.forget();
    const again = writer.take(beginIntake(), plain);
    const { samples, histograms } = outcome.written;
    return { ...again, repeated: Math.max(0, again.repeated - samples - histograms + outcome.repeated) };
  }
}

/**
 * Memory outside the heap makes the collector look through all of the heap, again and again, although what
 * a request brought is never reached from there: it is given back as soon as it is read. Small buffers may
 * lie in memory that others use too.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  const isAlone = buffer.byteLength === byteLength;
  if (isAlone && buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

function unpack({ encoding, bytes }: Delivery, limitBytes: number): Uint8Array {
  if (encoding === "snappy") return decompressSnappy(bytes, { limitBytes });
  if (encoding === "gzip") return gunzip(bytes, limitBytes);
  if (bytes.length > limitBytes) throw tooLarge(limitBytes);
  return bytes;
}

function gunzip(bytes: Uint8Array, limitBytes: number): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: limitBytes });
  } catch (cause) {
    const isTooLarge = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
    if (isTooLarge) throw tooLarge(limitBytes);
    throw new MetricsError("parse", "the body is no gzip", { cause });
  }
}

function tooLarge(limitBytes: number): MetricsError {
  return new MetricsError("malformed", `the request holds more than ${limitBytes} bytes when decompressed`);
}
