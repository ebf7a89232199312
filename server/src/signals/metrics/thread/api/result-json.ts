import {
  bucketsOf,
  CUSTOM_BUCKETS_SCHEMA,
  type Histogram,
  type MatrixSeries,
  type ResultValue,
  type VectorSample,
} from "@mainstay/metrics";
import { labelsJson, timeJson, valueText } from "./json.ts";

/** The `data` of an answer, as JSON; `statistics`, if there are any, are JSON already. */
export function resultJson(
  value: ResultValue,
  { timeMs, statistics }: { timeMs: number; statistics: string | null },
): string {
  const rest = statistics === null ? "" : `,"stats":${statistics}`;
  return `{"resultType":"${value.type}","result":${contentJson(value, timeMs)}${rest}}`;
}

function contentJson(value: ResultValue, timeMs: number): string {
  switch (value.type) {
    case "scalar":
      return `[${timeJson(value.timeMs)},"${valueText(value.value)}"]`;
    case "string":
      return `[${timeJson(value.timeMs)},${JSON.stringify(value.value)}]`;
    case "vector":
      return `[${value.samples.map((sample) => vectorJson(sample, timeMs)).join(",")}]`;
    case "matrix":
      return `[${value.series.map(seriesJson).join(",")}]`;
  }
}

function vectorJson({ labels, value }: VectorSample, timeMs: number): string {
  const point =
    typeof value === "number"
      ? `"value":[${timeJson(timeMs)},"${valueText(value)}"]`
      : `"histogram":[${timeJson(timeMs)},${histogramJson(value)}]`;
  return `{"metric":${labelsJson(labels)},${point}}`;
}

function seriesJson({
  labels,
  timestampsMs,
  values,
  histogramTimestampsMs,
  histograms,
}: MatrixSeries): string {
  let text = `{"metric":${labelsJson(labels)}`;
  for (let index = 0; index < values.length; index++) {
    text += index === 0 ? `,"values":[[` : "],[";
    text += `${timeJson(timestampsMs[index] ?? 0)},"${valueText(values[index] ?? NaN)}"`;
  }
  if (values.length > 0) text += "]]";
  const points = histograms.map(
    (each, index) => `[${timeJson(histogramTimestampsMs[index] ?? 0)},${histogramJson(each)}]`,
  );
  return `${text}${points.length > 0 ? `,"histograms":[${points.join(",")}]` : ""}}`;
}

/** Which ends of a bucket belong to it. (HTTP API, "Native histograms".) */
const OPEN_LEFT = 0;
const OPEN_RIGHT = 1;
const OPEN = 2;
const CLOSED = 3;

function histogramJson(histogram: Histogram): string {
  const { count, sum, schema } = histogram;
  const buckets = bucketsOf(histogram)
    .filter((bucket) => bucket.count !== 0)
    .map(({ lower, upper, count: inBucket }) => {
      const isCustom = schema === CUSTOM_BUCKETS_SCHEMA;
      const isLowerIn = isCustom ? lower === -Infinity : lower < 0;
      const isUpperIn = isCustom || upper > 0;
      const rule = isLowerIn ? (isUpperIn ? CLOSED : OPEN_RIGHT) : isUpperIn ? OPEN_LEFT : OPEN;
      return `[${rule},"${valueText(lower)}","${valueText(upper)}","${valueText(inBucket)}"]`;
    });
  const all = buckets.length > 0 ? `,"buckets":[${buckets.join(",")}]` : "";
  return `{"count":"${valueText(count)}","sum":"${valueText(sum)}"${all}}`;
}
