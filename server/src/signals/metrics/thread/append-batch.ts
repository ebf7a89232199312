import { createLabels } from "@mainstay/metrics/model";
import type { AppendBatch, AppendOutcome, Refused } from "../metrics-store.ts";
import type { Intake, Refusal } from "./intake.ts";

/** Takes in what other rooms bring. */
export function appendBatch(intake: Intake, batch: AppendBatch): AppendOutcome {
  const { series, positions, timestampsMs, values, histograms, exemplars, metadata } = batch;
  const found = series.map((labels) => intake.resolve(labels));
  const refOf = (what: Refused["what"], position: number): number | null => {
    const known = found[position] ?? { reason: "invalid", message: `there is no series ${position}` };
    if (typeof known === "number") return known;
    const { reason, message }: Refusal = known;
    intake.refuse({ what, reason, count: 1, message: () => message });
    return null;
  };
  const words = new Uint32Array(values.buffer);
  positions.forEach((position, index) => {
    const ref = refOf("sample", position);
    if (ref !== null) intake.addSample(ref, timestampsMs[index] ?? NaN, { words, index });
  });
  for (const { position, timestampMs, value } of histograms) {
    const ref = refOf("histogram", position);
    if (ref !== null) intake.addHistogram({ ref, timestampMs, value });
  }
  for (const { position, labels, timestampMs, value } of exemplars) {
    const ref = refOf("exemplar", position);
    if (ref !== null) intake.addExemplar({ ref, labels: createLabels(labels), timestampMs, value });
  }
  for (const each of metadata) intake.addMetadata(each);
  return intake.finish();
}
