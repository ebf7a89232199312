import { hashLabels } from "../label-hash.ts";
import { formatNumber } from "../numbers.ts";
import type { Evaluation } from "./evaluation.ts";
import { groupColumns } from "./grouping.ts";
import type { AggregatePlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import {
  ABSENT,
  type Column,
  createColumn,
  FLOAT,
  type Grid,
  HISTOGRAM,
  type MutableColumn,
} from "./values.ts";

interface Task {
  plan: AggregatePlan;
  columns: readonly Column[];
  parameter: Float64Array;
}

/** topk, bottomk, limitk, limit_ratio: series that stay as they are, chosen anew at every step. */
export function aggregateK(evaluation: Evaluation, task: Task, grid: Grid): Column[] {
  const { plan, columns, parameter } = task;
  if (!checkParameter(evaluation, task)) return [];
  // In the order in which they are chosen: at one moment that of the values.
  const kept = new Map<Column, MutableColumn>();
  const groups = groupColumns(columns, plan);
  for (let step = 0; step < grid.count; step++) {
    evaluation.budget.addSteps(columns.length);
    const wanted = parameter[step] ?? NaN;
    for (const group of groups) {
      for (const column of choose(evaluation, { plan, columns: group.columns, step, wanted })) {
        copyStep(column, step, kept);
      }
    }
  }
  return [...kept.values()];
}

function copyStep(column: Column, step: number, kept: Map<Column, MutableColumn>): void {
  const target = kept.get(column) ?? createColumn(column.labels, column.present.length, column.dropsName);
  kept.set(column, target);
  target.present[step] = column.present[step] ?? ABSENT;
  target.values[step] = column.values[step] ?? NaN;
  const histogram = column.histograms?.[step];
  if (histogram === undefined) return;
  target.histograms ??= [];
  target.histograms[step] = histogram;
}

const MAX_INT64 = 2 ** 63;

/** False when nothing is asked for. */
function checkParameter({ annotations }: Evaluation, { plan, parameter }: Task): boolean {
  const { min, max, hasNaN } = boundsOf(parameter);
  const { position } = plan.parameter ?? plan;
  if (plan.operator === "limit_ratio") {
    if (max === 0 && min === 0 && !hasNaN) return false;
    if (hasNaN) throw new QueryError("Ratio value is NaN");
    const warn = (got: number, capped: number) =>
      annotations.warn(
        `ratio value should be between -1 and 1, got ${formatNumber(got)}, capping to ${capped}`,
        position,
      );
    if (max > 1) warn(max, 1);
    if (min < -1) warn(min, -1);
    return true;
  }
  if (max < 1 && !hasNaN) return false;
  if (hasNaN) throw new QueryError("Parameter value is NaN");
  if (min <= -MAX_INT64) throw new QueryError(`Scalar value ${formatNumber(min)} underflows int64`);
  if (max >= MAX_INT64) throw new QueryError(`Scalar value ${formatNumber(max)} overflows int64`);
  return true;
}

function boundsOf(values: Float64Array): { min: number; max: number; hasNaN: boolean } {
  const bounds = { min: Infinity, max: -Infinity, hasNaN: false };
  for (const value of values) {
    if (value < bounds.min) bounds.min = value;
    if (value > bounds.max) bounds.max = value;
    if (value !== value) bounds.hasNaN = true;
  }
  return bounds;
}

/** The same labels are always chosen alike; a negative ratio chooses those that its complement leaves. */
function isSampled({ labels }: Column, ratio: number): boolean {
  const offset = hashLabels(labels) / 2 ** 64;
  return ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
}

interface Choice {
  plan: AggregatePlan;
  columns: readonly Column[];
  step: number;
  wanted: number;
}

function choose({ annotations }: Evaluation, { plan, columns, step, wanted }: Choice): Column[] {
  const { operator, position } = plan;
  const present = columns.filter((column) => column.present[step] !== ABSENT);
  if (operator === "limit_ratio") return present.filter((column) => isSampled(column, wanted));
  const count = Math.max(0, Math.trunc(wanted));
  if (operator === "limitk") return present.slice(0, count);
  if (count > 0 && present.some((column) => column.present[step] === HISTOGRAM)) {
    annotations.inform(`ignored histogram in ${operator} aggregation`, position);
  }
  const floats = present.filter((column) => column.present[step] === FLOAT);
  const sign = operator === "topk" ? -1 : 1;
  const byValue = (a: Column, b: Column) => compareValues(a.values[step] ?? NaN, b.values[step] ?? NaN, sign);
  return count > MAX_INSERTED ? floats.toSorted(byValue).slice(0, count) : bestOf(floats, count, byValue);
}

/** Up to here the best are kept in order while all are looked at once; for more it pays to sort. */
const MAX_INSERTED = 32;

function bestOf(
  columns: readonly Column[],
  count: number,
  compare: (a: Column, b: Column) => number,
): Column[] {
  const best: Column[] = [];
  if (count === 0) return best;
  for (const column of columns) {
    const last = best[count - 1];
    if (last !== undefined && compare(column, last) >= 0) continue;
    const place = best.findIndex((each) => compare(column, each) < 0);
    best.splice(place < 0 ? best.length : place, 0, column);
    best.length = Math.min(best.length, count);
  }
  return best;
}

/** NaN comes last in either direction. */
export function compareValues(a: number, b: number, sign: 1 | -1): number {
  const [isNaNa, isNaNb] = [Number.isNaN(a), Number.isNaN(b)];
  if (isNaNa || isNaNb) return Number(isNaNa) - Number(isNaNb);
  return a === b ? 0 : a < b ? -sign : sign;
}
