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
      return matrixJson(value.series);
  }
}

function vectorJson({ labels, value }: VectorSample, timeMs: number): string {
  const point =
    typeof value === "number"
      ? `"value":[${timeJson(timeMs)},"${valueText(value)}"]`
      : `"histogram":[${timeJson(timeMs)},${histogramJson(value)}]`;
  return `{"metric":${labelsJson(labels)},${point}}`;
}

/** Series of one answer mostly have the same times: these are written once. */
function matrixJson(series: readonly MatrixSeries[]): string {
  let timesMs: Float64Array = new Float64Array(0);
  let times: string[] = [];
  const texts = series.map((each) => {
    if (each.timestampsMs !== timesMs) {
      timesMs = each.timestampsMs;
      times = Array.from(timesMs, timeJson);
    }
    return seriesJson(each, times);
  });
  return `[${texts.join(",")}]`;
}

function seriesJson(
  { labels, values, histogramTimestampsMs, histograms }: MatrixSeries,
  times: readonly string[],
): string {
  const parts = [`{"metric":${labelsJson(labels)}`];
  // Joined at once: a text that grows piece by piece is kept as a tree of its pieces until it is read.
  for (let index = 0; index < values.length; index++) {
    parts.push(
      index === 0 ? `,"values":[[` : `"],[`,
      times[index] ?? "",
      `,"`,
      valueText(values[index] ?? NaN),
    );
  }
  if (values.length > 0) parts.push(`"]]`);
  const points = histograms.map(
    (each, index) => `[${timeJson(histogramTimestampsMs[index] ?? 0)},${histogramJson(each)}]`,
  );
  if (points.length > 0) parts.push(`,"histograms":[${points.join(",")}]`);
  parts.push("}");
  return parts.join("");
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
      // That of a zero threshold holds zero and nothing else.
      const isOfZero = !isCustom && lower === -upper;
      const isLowerIn = isCustom ? lower === -Infinity : lower < 0 || isOfZero;
      const isUpperIn = isCustom || upper > 0 || isOfZero;
      const rule = isLowerIn ? (isUpperIn ? CLOSED : OPEN_RIGHT) : isUpperIn ? OPEN_LEFT : OPEN;
      return `[${rule},"${valueText(lower)}","${valueText(upper)}","${valueText(inBucket)}"]`;
    });
  const all = buckets.length > 0 ? `,"buckets":[${buckets.join(",")}]` : "";
  return `{"count":"${valueText(count)}","sum":"${valueText(sum)}"${all}}`;
}
