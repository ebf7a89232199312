import { gzipSync } from "node:zlib";
import { createLabels } from "@mainstay/metrics/model";
import { compressSnappy, encodeRemoteWrite1 } from "@mainstay/metrics/wire";
import { describe, expect, it } from "vitest";
import type { Delivery } from "../../metrics-store.ts";
import type { Intake } from "../intake.ts";
import { createDeliver } from "./deliver.ts";

const settings = { bodyBytes: 2 ** 20, promotedAttributes: [] };

/** Counts samples, and keeps nothing. */
function countingIntake(): Intake {
  let samples = 0;
  return {
    resolve: () => 1,
    refusalOf: () => null,
    addSample: () => void samples++,
    addSamples: (_, { count }) => void (samples += count),
    addHistogram() {},
    addExemplar() {},
    addMetadata() {},
    refuse() {},
    finish: () => ({ written: { samples, histograms: 0, exemplars: 0 }, repeated: 0, refused: [] }),
  };
}

const deliver = createDeliver({ beginIntake: countingIntake, settings });

/** In memory of its own, as a request comes from the event loop. */
const alone = (bytes: Uint8Array) => new Uint8Array(bytes);

const written = encodeRemoteWrite1([
  { labels: createLabels([["__name__", "m"]]), timestampsMs: [1], values: Float64Array.of(2) },
]);
const otlp = new TextEncoder().encode('{"resourceMetrics":[]}');
const deliveries: [string, Omit<Delivery, "bytes">, Uint8Array][] = [
  ["snappy", { protocol: "remote-write-1", encoding: "snappy" }, compressSnappy(written)],
  ["gzip", { protocol: "otlp-json", encoding: "gzip" }, gzipSync(otlp)],
  ["identity", { protocol: "otlp-json", encoding: "identity" }, otlp],
];

describe("what comes over the wire", () => {
  it.each(deliveries)("%s: is taken in, and its memory given back", (_, how, body) => {
    const bytes = alone(body);
    const { samples } = deliver({ ...how, bytes }).written;
    expect(samples).toBe(how.protocol === "remote-write-1" ? 1 : 0);
    expect(bytes.buffer.detached).toBe(true);
  });

  it("is given back also when it cannot be read", () => {
    const bytes = alone(compressSnappy(Uint8Array.of(255, 255)));
    expect(() => deliver({ protocol: "remote-write-1", encoding: "snappy", bytes })).toThrow();
    expect(bytes.buffer.detached).toBe(true);
  });

  it("leaves memory alone that others use too", () => {
    const shared = alone(Buffer.concat([otlp, Buffer.from("theirs")]));
    const bytes = shared.subarray(0, otlp.length);
    deliver({ protocol: "otlp-json", encoding: "identity", bytes });
    expect(new TextDecoder().decode(shared.subarray(otlp.length))).toBe("theirs");
  });
});
