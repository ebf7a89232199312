import { ABSENT, type Column, FLOAT } from "./values.ts";

export type FloatOperator = "sum" | "avg" | "count" | "min" | "max" | "group" | "stddev" | "stdvar";

/** An aggregation that goes on column by column, each over all steps: the inner loops run along arrays. */
export interface FloatAggregate {
  /** Adds a column, which is not kept. Histograms are passed over, but counted and grouped. */
  add(column: Column): void;
  /** Completes the result. */
  finish(): void;
}

/** Aggregates into a column that is empty as yet. */
export function createFloatAggregate(operator: FloatOperator, result: Column): FloatAggregate {
  switch (operator) {
    case "sum":
      return sum(result);
    case "avg":
      return average(result);
    case "count":
      return count(result);
    case "group":
      return group(result);
    case "min":
    case "max":
      return extreme(result, operator === "min");
    case "stddev":
    case "stdvar":
      return variance(result, operator === "stddev");
  }
}

function sum({ present, values }: Column): FloatAggregate {
  const lost = new Float64Array(values.length);
  const sums = { values, lost };
  return {
    add(column) {
      for (let step = 0; step < values.length; step++) {
        if (column.present[step] !== FLOAT) continue;
        const term = column.values[step] ?? NaN;
        if (present[step] === ABSENT) {
          present[step] = FLOAT;
          values[step] = term;
        } else addAt(sums, step, term);
      }
    },
    finish() {
      for (let step = 0; step < values.length; step++) values[step] = (values[step] ?? 0) + (lost[step] ?? 0);
    },
  };
}

interface Sums {
  values: Float64Array;
  lost: Float64Array;
}

/** One step of Neumaier's summation, in columns. */
function addAt({ values, lost }: Sums, step: number, term: number): void {
  const value = values[step] ?? 0;
  const total = value + term;
  if (total === Infinity || total === -Infinity) lost[step] = 0;
  else if (Math.abs(value) >= Math.abs(term)) lost[step] = (lost[step] ?? 0) + (value - total + term);
  else lost[step] = (lost[step] ?? 0) + (term - total + value);
  values[step] = total;
}

interface Means extends Sums {
  counts: Float64Array;
  /** Steps whose sum has overflowed: there `values` holds the mean so far, and not the sum. */
  isMoving: Uint8Array;
}

/** Sum and count; where the sum overflows, a mean that moves with each value. */
function average({ present, values }: Column): FloatAggregate {
  const { length } = values;
  const lost = new Float64Array(length);
  const means = { values, lost, counts: new Float64Array(length), isMoving: new Uint8Array(length) };
  return {
    add(column) {
      for (let step = 0; step < length; step++) {
        if (column.present[step] !== FLOAT) continue;
        addToMean(means, step, column.values[step] ?? NaN);
        present[step] = FLOAT;
      }
    },
    finish() {
      for (let step = 0; step < length; step++) {
        const divisor = means.isMoving[step] === 1 ? 1 : (means.counts[step] ?? 1);
        values[step] = (values[step] ?? 0) / divisor + (lost[step] ?? 0) / divisor;
      }
    },
  };
}

function addToMean(means: Means, step: number, term: number): void {
  const { values, lost, counts, isMoving } = means;
  const before = counts[step] ?? 0;
  counts[step] = before + 1;
  if (before === 0) {
    values[step] = term;
    return;
  }
  if (isMoving[step] === 0) {
    const total = (values[step] ?? 0) + term;
    if (total !== Infinity && total !== -Infinity) return addAt(means, step, term);
    isMoving[step] = 1;
    values[step] = (values[step] ?? 0) / before;
    lost[step] = (lost[step] ?? 0) / before;
  }
  const share = before / (before + 1);
  values[step] = (values[step] ?? 0) * share;
  lost[step] = (lost[step] ?? 0) * share;
  addAt(means, step, term / (before + 1));
}

function count({ present, values }: Column): FloatAggregate {
  return {
    add(column) {
      for (let step = 0; step < values.length; step++) {
        if (column.present[step] === ABSENT) continue;
        present[step] = FLOAT;
        values[step] = (values[step] ?? 0) + 1;
      }
    },
    finish() {},
  };
}

function group({ present, values }: Column): FloatAggregate {
  return {
    add(column) {
      for (let step = 0; step < values.length; step++) {
        if (column.present[step] !== ABSENT) present[step] = FLOAT;
      }
    },
    finish: () => void values.fill(1),
  };
}

/** NaN only where there is nothing else. */
function extreme({ present, values }: Column, isLeast: boolean): FloatAggregate {
  return {
    add(column) {
      for (let step = 0; step < values.length; step++) {
        if (column.present[step] !== FLOAT) continue;
        const value = column.values[step] ?? NaN;
        const best = values[step] ?? NaN;
        const isBetter = isLeast ? value < best : value > best;
        if (present[step] === ABSENT || isBetter || best !== best) values[step] = value;
        present[step] = FLOAT;
      }
    },
    finish() {},
  };
}

/** Welford's algorithm. */
function variance({ present, values }: Column, isRoot: boolean): FloatAggregate {
  const means = new Float64Array(values.length);
  const counts = new Float64Array(values.length);
  return {
    add(column) {
      for (let step = 0; step < values.length; step++) {
        if (column.present[step] !== FLOAT) continue;
        const value = column.values[step] ?? NaN;
        const seen = (counts[step] ?? 0) + 1;
        counts[step] = seen;
        present[step] = FLOAT;
        const mean = means[step] ?? 0;
        if (seen === 1) {
          means[step] = value;
          values[step] = Number.isFinite(value) ? 0 : NaN;
          continue;
        }
        const difference = value - mean;
        means[step] = mean + difference / seen;
        values[step] = (values[step] ?? 0) + difference * (value - (means[step] ?? 0));
      }
    },
    finish() {
      for (let step = 0; step < values.length; step++) {
        const result = (values[step] ?? 0) / (counts[step] ?? 1);
        values[step] = isRoot ? Math.sqrt(result) : result;
      }
    },
  };
}
