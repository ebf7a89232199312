import { parseValue } from "./number.ts";
import type { SeriesName } from "./series-text.ts";
import type { MetricType } from "./sink.ts";

/** What samples of a family are called, behind its name. (OpenMetrics 1.0, "Suffixes".) */
export const SUFFIXES: Record<MetricType, readonly string[]> = {
  counter: ["_total", "_created"],
  gauge: [""],
  histogram: ["_bucket", "_count", "_sum", "_created"],
  gaugehistogram: ["_bucket", "_gcount", "_gsum"],
  summary: ["", "_count", "_sum", "_created"],
  stateset: [""],
  info: ["_info"],
  unknown: [""],
};

/** A sample as the rules see it: of which type its family is, and what follows the family's name. */
export interface TypedSample {
  family: string;
  type: MetricType;
  suffix: string;
  name: SeriesName;
  value: number;
}

/** Counts and sums of what was observed. */
const NEVER_NAN = new Set(["_total", "_bucket", "_count", "_sum", "_gcount", "_gsum"]);
/** A sum of a gauge histogram may fall below zero: only its buckets tell. */
const NEVER_NEGATIVE = new Set(["_total", "_bucket", "_count", "_sum", "_gcount"]);
const HAS_SUFFIX_RULES: readonly MetricType[] = ["counter", "histogram", "gaugehistogram", "summary"];

/** What the type of its family forbids in a sample, or null. (OpenMetrics 1.0, "Metric Types".) */
export function faultOf(sample: TypedSample): string | null {
  return valueFault(sample) ?? labelFault(sample);
}

function valueFault({ type, suffix, value }: TypedSample): string | null {
  if (HAS_SUFFIX_RULES.includes(type)) {
    if (NEVER_NAN.has(suffix) && Number.isNaN(value)) return `${suffix} of a ${type} is NaN`;
    if (NEVER_NEGATIVE.has(suffix) && value < 0) return `${suffix} of a ${type} is negative`;
  }
  if (type === "summary" && suffix === "" && value < 0) return "a quantile's value is negative";
  if (type === "info" && value !== 1) return "the value of an info is not 1";
  if (type === "stateset" && value !== 0 && value !== 1) return "the value of a state is neither 0 nor 1";
  return null;
}

function labelFault({ type, suffix, name, family }: TypedSample): string | null {
  const label = (wanted: string) => name.labels.find(([each]) => each === wanted)?.[1];
  if (type === "stateset" && label(family) === undefined) return `a state has no label ${family}`;
  if (suffix === "_bucket" && (type === "histogram" || type === "gaugehistogram")) {
    const bound = parseValue(label("le") ?? "");
    return bound === null || Number.isNaN(bound) ? "a bucket has no upper bound le that is a number" : null;
  }
  if (type === "summary" && suffix === "") {
    const quantile = parseValue(label("quantile") ?? "") ?? NaN;
    return quantile >= 0 && quantile <= 1 ? null : "a quantile is not between 0 and 1";
  }
  return null;
}

/** Labels that tell the parts of one metric apart instead of telling metrics apart. */
export function partLabelOf({ type, suffix, family }: TypedSample): string | null {
  if (suffix === "_bucket" && (type === "histogram" || type === "gaugehistogram")) return "le";
  if (type === "summary" && suffix === "") return "quantile";
  return type === "stateset" ? family : null;
}

/** Whether samples of this kind may carry an exemplar. */
export function mayHaveExemplar({ type, suffix }: TypedSample): boolean {
  return type === "counter" ? suffix === "_total" : type.endsWith("histogram") && suffix === "_bucket";
}
