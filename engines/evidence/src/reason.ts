import type { MetricEvidence } from "./evidence.ts";
import type { Counts } from "./record.ts";

type Facts = Omit<MetricEvidence, "reason">;

/** The finding in one sentence, with its numbers and units. */
export function explain(facts: Facts): string {
  const { metric, candidate, stable } = facts;
  if (candidate.total === 0) return `${metric}: no request of the candidate has been counted in this stage`;
  if (stable.total === 0)
    return `${metric}: no request of the stable release has been counted beside the candidate's`;
  return `${metric}: candidate ${share(candidate)} bad, stable ${share(stable)}: ${finding(facts)}`;
}

function finding(facts: Facts): string {
  const { verdict, eValue, threshold, ratio, smallestDetectableRatio: detectable } = facts;
  const proof = `e-value ${short(eValue)} of ${short(threshold)}`;
  if (verdict === "harm") return `worse${ratio === null ? "" : `, odds × ${short(ratio)}`} (${proof})`;
  if (verdict === "no-harm") {
    return `not much worse (e-value ${short(facts.noHarmEValue)} of ${short(facts.noHarmThreshold)})`;
  }
  if (eValue >= threshold) return `higher, but not by enough to matter (${proof})`;
  if (eValue >= Math.sqrt(threshold)) return `looks worse, not proven (${proof})`;
  if (detectable === null) return "too few requests to tell anything";
  return `too few requests to tell; odds × ${short(detectable)} would have shown`;
}

function share({ total, bad }: Counts): string {
  const percent = total === 0 ? 0 : (100 * bad) / total;
  return `${short(percent)} % (${bad} of ${total} requests)`;
}

/** Three significant digits at most. */
function short(value: number): string {
  if (value >= 1e6) return value.toExponential(1);
  return String(value >= 100 ? Math.round(value) : Number(value.toPrecision(3)));
}
