import type { Histogram } from "../../histogram.ts";
import { labelValue, METRIC_NAME } from "../../labels.ts";
import { type ClassicBucket, classicFraction, classicQuantile } from "../histograms/classic.ts";
import {
  type Estimate,
  histogramFraction,
  histogramQuantile,
  histogramVariance,
} from "../histograms/quantile.ts";
import { formatNumber, parseFloatLabel } from "../numbers.ts";
import type { Position } from "../syntax/ast.ts";
import { named } from "./annotations.ts";
import type { Evaluation } from "./evaluation.ts";
import { withLabel, withoutLabels } from "./merge.ts";
import {
  type Column,
  createColumn,
  FLOAT,
  type Grid,
  hasSamples,
  histogramAt,
  setFloat,
  timeAt,
} from "./values.ts";

/** What is asked of each native histogram alone. */
export const SIMPLE: ReadonlyMap<string, (histogram: Histogram) => number> = new Map([
  ["histogram_count", ({ count }: Histogram) => count],
  ["histogram_sum", ({ sum }: Histogram) => sum],
  ["histogram_avg", ({ sum, count }: Histogram) => sum / count],
  ["histogram_stdvar", histogramVariance],
  ["histogram_stddev", (histogram: Histogram) => Math.sqrt(histogramVariance(histogram))],
]);

export function simpleHistogram(
  columns: readonly Column[],
  read: (histogram: Histogram) => number,
): Column[] {
  return columns.flatMap((column) => {
    if (column.histograms === null) return [];
    const result = createColumn(column.labels, column.present.length, true);
    for (let step = 0; step < column.present.length; step++) {
      const histogram = histogramAt(column, step);
      if (histogram !== undefined) setFloat(result, step, read(histogram));
    }
    return hasSamples(result) ? [result] : [];
  });
}

/**
 * Series that are one histogram: the buckets of a classic one, or a native one, or (at different times) both.
 */
interface Group {
  native: Column | null;
  buckets: { column: Column; upper: number }[];
  labels: Column["labels"];
}

const BUCKET_LABEL: ReadonlySet<string> = new Set(["le"]);

interface Input {
  columns: readonly Column[];
  position: Position;
  grid: Grid;
}

function groupsOf({ annotations }: Evaluation, { columns, position }: Input): Group[] {
  const groups = new Map<string, Group>();
  const groupOf = (labels: Column["labels"]) => {
    const group = groups.get(labels.key) ?? { native: null, buckets: [], labels };
    groups.set(labels.key, group);
    return group;
  };
  for (const column of columns) {
    if (column.histograms !== null) groupOf(column.labels).native = column;
    if (!column.present.includes(FLOAT)) continue;
    const bound = labelValue(column.labels, "le");
    const upper = parseFloatLabel(bound);
    if (upper !== null) {
      groupOf(withoutLabels(column.labels, BUCKET_LABEL)).buckets.push({ column, upper });
      continue;
    }
    const name = named(labelValue(column.labels, METRIC_NAME));
    const message = `bucket label "le" is missing or has a malformed value of ${JSON.stringify(bound)}`;
    annotations.warn(message + name, position);
  }
  return [...groups.values()];
}

interface Answer {
  ofNative: (histogram: Histogram, step: number) => Estimate;
  ofClassic: (buckets: ClassicBucket[], step: number) => number;
}

function answerGroup(
  evaluation: Evaluation,
  group: Group,
  { ofNative, ofClassic, input }: Answer & { input: Input },
): Column {
  const result = createColumn(group.labels, input.grid.count, true);
  const name = named(labelValue(group.labels, METRIC_NAME));
  for (let step = 0; step < input.grid.count; step++) {
    const histogram = group.native === null ? undefined : histogramAt(group.native, step);
    const buckets: ClassicBucket[] = [];
    for (const { column, upper } of group.buckets) {
      if (column.present[step] === FLOAT) buckets.push({ upper, count: column.values[step] ?? NaN });
    }
    if (histogram !== undefined && buckets.length > 0) {
      evaluation.annotations.warn(
        `vector contains a mix of classic and native histograms${name}`,
        input.position,
      );
    } else if (histogram !== undefined) {
      const { value, remark } = ofNative(histogram, step);
      if (remark !== null) evaluation.annotations.inform(REMARKS[remark] + name, input.position);
      setFloat(result, step, value);
    } else if (buckets.length > 0) setFloat(result, step, ofClassic(buckets, step));
  }
  return result;
}

const REMARKS = {
  "nan-result": "input to histogram_quantile has NaN observations, result is NaN",
  "nan-skew": "input to histogram_quantile has NaN observations, result is skewed higher",
  "nan-excluded": "input to histogram_fraction has NaN observations, which are excluded from all fractions",
} as const;

/** The quantiles of histograms, classic and native; with a label, each carries the quantile it is. */
export function histogramQuantiles(
  evaluation: Evaluation,
  input: Input,
  {
    quantiles,
    label,
  }: { quantiles: readonly { values: Float64Array; position: Position }[]; label: string | null },
): Column[] {
  const groups = groupsOf(evaluation, input);
  return quantiles.flatMap(({ values, position }) => {
    for (const q of values) warnQuantile(evaluation, q, position);
    return groups
      .flatMap((group) => {
        const name = labelValue(group.labels, METRIC_NAME);
        const column = answerGroup(evaluation, group, {
          input,
          ofNative: (histogram, step) => histogramQuantile(values[step] ?? NaN, histogram),
          ofClassic(buckets, step) {
            const { value, forced } = classicQuantile(values[step] ?? NaN, buckets);
            const atMs = timeAt(input.grid, step);
            if (forced !== null)
              evaluation.annotations.forcedMonotonicity(name, input.position, { atMs, ...forced });
            return value;
          },
        });
        return label === null ? [column] : labelled(column, values, label);
      })
      .filter(hasSamples);
  });
}

/** Split by the quantile, which may differ from step to step. */
function labelled(column: Column, quantiles: Float64Array, label: string): Column[] {
  return [...new Set(quantiles)].map((q) => {
    const labels = withLabel(column.labels, label, formatLabel(q));
    const part = createColumn(labels, quantiles.length, true);
    for (const [step, value] of quantiles.entries()) {
      if (Object.is(value, q) && column.present[step] === FLOAT)
        setFloat(part, step, column.values[step] ?? NaN);
    }
    return part;
  });
}

/** A number as OpenMetrics writes it: never without a point or an exponent. */
function formatLabel(value: number): string {
  const text = formatNumber(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

export function warnQuantile({ annotations }: Evaluation, q: number, position: Position): void {
  if (q >= 0 && q <= 1) return;
  annotations.warn(`quantile value should be between 0 and 1, got ${formatNumber(q)}`, position);
}

/** The share of observations between two bounds. */
export function histogramFractions(
  evaluation: Evaluation,
  input: Input,
  { lower, upper }: { lower: Float64Array; upper: Float64Array },
): Column[] {
  const rangeAt = (step: number) => ({ lower: lower[step] ?? NaN, upper: upper[step] ?? NaN });
  return groupsOf(evaluation, input)
    .map((group) =>
      answerGroup(evaluation, group, {
        input,
        ofNative: (histogram, step) => histogramFraction(rangeAt(step), histogram),
        ofClassic: (buckets, step) => classicFraction(rangeAt(step), buckets),
      }),
    )
    .filter(hasSamples);
}
