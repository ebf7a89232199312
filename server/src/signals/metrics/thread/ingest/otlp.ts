import { createLabels } from "@mainstay/metrics/model";
import { readOtlp, readOtlpJson, translateOtlp, type TranslatedPoint } from "@mainstay/metrics/wire";
import type { AppendOutcome, Refused } from "../../metrics-store.ts";
import type { Bits, Intake } from "../intake.ts";
import { staleBits } from "../stale-bits.ts";

const STALE = staleBits();

export interface OtlpOptions {
  protocol: "otlp-protobuf" | "otlp-json";
  promotedAttributes: readonly string[];
}

/** Takes in a request of OTLP, as series that Prometheus would make of it. */
export function takeOtlp(
  intake: Intake,
  bytes: Uint8Array,
  { protocol, promotedAttributes }: OtlpOptions,
): AppendOutcome {
  const request = protocol === "otlp-json" ? readOtlpJson(new TextDecoder().decode(bytes)) : readOtlp(bytes);
  const value = new Float64Array(1);
  const bits: Bits = { words: new Uint32Array(value.buffer), index: 0 };

  function add(what: Refused["what"], point: TranslatedPoint, keep: (ref: number) => void): void {
    const ref = intake.resolve(point.labels);
    if (typeof ref !== "number")
      return intake.refuse({ what, reason: ref.reason, count: 1, message: () => ref.message });
    if (point.isStale) intake.addSample(ref, point.timestampMs, STALE);
    else keep(ref);
    for (const { labels, ...exemplar } of point.exemplars)
      intake.addExemplar({ ref, labels: createLabels(labels), ...exemplar });
  }

  translateOtlp(
    request,
    { promotedAttributes },
    {
      sample: (point) =>
        add("sample", point, (ref) => {
          value[0] = point.value;
          intake.addSample(ref, point.timestampMs, bits);
        }),
      histogram: (point) =>
        add("histogram", point, (ref) => {
          intake.addHistogram({ ref, timestampMs: point.timestampMs, value: point.histogram });
        }),
      metadata: (metric, metadata) => intake.addMetadata({ metric, ...metadata }),
      reject: (count, reason) =>
        intake.refuse({ what: "sample", reason: "unsupported", count, message: () => reason }),
    },
  );
  return intake.finish();
}
