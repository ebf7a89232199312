import type { Histogram } from "../../histogram.ts";
import { labelValue, METRIC_NAME } from "../../labels.ts";
import {
  addHistogram,
  createHistogramSum,
  type HistogramSum,
  toHistogram,
} from "../histograms/histogram-sum.ts";
import type { Position } from "../syntax/ast.ts";
import type { FloatOperator } from "./aggregate-floats.ts";
import type { Evaluation } from "./evaluation.ts";
import { addToMean, type HistogramMean, meanHistogram } from "./ranges/histogram-over-time.ts";
import {
  ABSENT,
  type Column,
  FLOAT,
  HISTOGRAM,
  histogramAt,
  type MutableColumn,
  setHistogram,
} from "./values.ts";

interface Task {
  /** Holds what was made of the floats. */
  result: MutableColumn;
  /** The columns in which there are histograms. */
  columns: readonly Column[];
  operator: FloatOperator;
  position: Position;
}

/**
 * Adds to an aggregated group the histograms in it: added
 * and averaged like floats, counted with them, else passed over.
 */
export function aggregateHistograms(
  evaluation: Evaluation,
  { result, columns, operator, position }: Task,
): void {
  const { annotations } = evaluation;
  if (operator === "count" || operator === "group") return;
  if (operator !== "sum" && operator !== "avg") {
    if (columns.some((column) => column.present.includes(HISTOGRAM))) {
      annotations.inform(`ignored histogram in ${operator} aggregation`, position);
    }
    return;
  }
  for (let step = 0; step < result.present.length; step++) {
    const owners = columns.filter((column) => column.present[step] === HISTOGRAM);
    if (owners.length === 0) continue;
    const aggregated = combine(evaluation, { owners, step, operator, position });
    if (result.present[step] === FLOAT) {
      annotations.warn("encountered a mix of histograms and floats for aggregation", position);
      result.present[step] = ABSENT;
    } else if (aggregated !== null) setHistogram(result, step, aggregated);
  }
}

interface Combining {
  owners: readonly Column[];
  step: number;
  operator: "sum" | "avg";
  position: Position;
}

/** Null when exponential and custom buckets meet. */
function combine(
  { annotations }: Evaluation,
  { owners, step, operator, position }: Combining,
): Histogram | null {
  let mean: HistogramMean | null = null;
  const hints = new Set<string>();
  for (const owner of owners) {
    const histogram = histogramAt(owner, step);
    if (histogram === undefined) continue;
    hints.add(histogram.resetHint);
    if (mean === null) mean = { total: createHistogramSum(histogram), count: 1, isIncremental: false };
    else if (!add(mean, histogram, operator)) {
      const message =
        "vector contains a mix of histograms with exponential and custom buckets schemas for metric name";
      annotations.warn(`${message} ${JSON.stringify(labelValue(owner.labels, METRIC_NAME))}`, position);
      return null;
    }
  }
  if (mean === null) return null;
  if (hints.has("reset") && hints.has("not-reset")) {
    annotations.warn("conflicting counter resets during histogram aggregation", position);
  }
  const { total }: { total: HistogramSum } = mean;
  if (total.hasReconciled) {
    annotations.inform("mismatched custom buckets were reconciled during aggregation", position);
  }
  return operator === "sum" ? toHistogram(total) : meanHistogram(mean);
}

function add(mean: HistogramMean, histogram: Histogram, operator: "sum" | "avg"): boolean {
  return operator === "sum" ? addHistogram(mean.total, histogram) : addToMean(mean, histogram);
}
