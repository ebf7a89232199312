import type { Histogram } from "../../histogram.ts";
import type { Labels } from "../../labels.ts";
import type { VectorMatching } from "../syntax/ast.ts";
import { isComparison } from "../syntax/ast.ts";
import { combineValues, floatArithmetic, floatComparison, type Telling } from "./binary-values.ts";
import type { Evaluation } from "./evaluation.ts";
import { formatLabels } from "./format-labels.ts";
import { createSignature, resultLabels } from "./match-signature.ts";
import { mergeColumns } from "./merge.ts";
import type { BinaryPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import {
  ABSENT,
  type Column,
  createColumn,
  FLOAT,
  type Grid,
  hasSamples,
  histogramAt,
  type MutableColumn,
  setFloat,
  setHistogram,
} from "./values.ts";

/** Series of both sides that match each other. */
interface MatchGroup {
  labels: Labels;
  many: Column[];
  one: Column[];
}

interface Sides {
  left: readonly Column[];
  right: readonly Column[];
}

interface Matching {
  plan: BinaryPlan;
  matching: VectorMatching;
  grid: Grid;
  telling: Telling;
  /**
   * Steps at which each side has any sample: without one on a side nothing is matched, and nothing refused.
   */
  hasMany: Uint8Array;
  hasOne: Uint8Array;
  isSwapped: boolean;
}

/** An operator between two instant vectors, in groups of series that match. */
export function combineVectors(
  evaluation: Evaluation,
  { plan, matching, sides }: { plan: BinaryPlan; matching: VectorMatching; sides: Sides },
  grid: Grid,
): readonly Column[] {
  const isSwapped = matching.cardinality === "one-to-many";
  const [many, one] = isSwapped ? [sides.right, sides.left] : [sides.left, sides.right];
  const context: Matching = {
    plan,
    matching,
    grid,
    telling: { annotations: evaluation.annotations, position: plan.position },
    hasMany: presence(many, grid.count),
    hasOne: presence(one, grid.count),
    isSwapped,
  };
  const columns: Column[] = [];
  for (const group of matchGroups(many, one, matching)) {
    evaluation.budget.addSamples(grid.count);
    columns.push(...(combinePlainPair(context, group) ?? combineGroup(context, group)));
  }
  return mergeColumns(columns.filter(hasSamples));
}

function presence(columns: readonly Column[], count: number): Uint8Array {
  const present = new Uint8Array(count);
  for (const column of columns) {
    for (let step = 0; step < count; step++) if (column.present[step] !== ABSENT) present[step] = 1;
  }
  return present;
}

function matchGroups(
  many: readonly Column[],
  one: readonly Column[],
  matching: VectorMatching,
): Iterable<MatchGroup> {
  const signature = createSignature(matching);
  const groups = new Map<string, MatchGroup>();
  const groupOf = (column: Column): MatchGroup => {
    const labels = signature(column.labels);
    const group = groups.get(labels.key) ?? { labels, many: [], one: [] };
    groups.set(labels.key, group);
    return group;
  };
  for (const column of many) groupOf(column).many.push(column);
  for (const column of one) groupOf(column).one.push(column);
  return groups.values();
}

/** What most queries are: one series on each side, floats alone. Null for everything else. */
function combinePlainPair(
  { plan, matching, isSwapped }: Matching,
  { many, one }: MatchGroup,
): Column[] | null {
  const [manyColumn, ...otherMany] = many;
  const [oneColumn, ...otherOne] = one;
  const isFilled = matching.fillLeft !== null || matching.fillRight !== null;
  if (isFilled || otherMany.length > 0 || otherOne.length > 0) return null;
  if (manyColumn === undefined || oneColumn === undefined) return [];
  if (manyColumn.histograms !== null || oneColumn.histograms !== null) return null;
  const arithmetic = floatArithmetic(plan.operator);
  const comparison = floatComparison(plan.operator);
  if (arithmetic === null && comparison === null) return null;
  const column = pairColumn({ plan, matching }, manyColumn, oneColumn.labels);
  const [left, right] = isSwapped ? [oneColumn, manyColumn] : [manyColumn, oneColumn];
  for (let step = 0; step < column.values.length; step++) {
    if (left.present[step] !== FLOAT || right.present[step] !== FLOAT) continue;
    const [a, b] = [left.values[step] ?? NaN, right.values[step] ?? NaN];
    if (arithmetic !== null) setFloat(column, step, arithmetic(a, b));
    else {
      const holds = comparison?.(a, b) ?? false;
      if (plan.returnsBool) setFloat(column, step, holds ? 1 : 0);
      else if (holds) setFloat(column, step, a);
    }
  }
  return [column];
}

interface PairRules {
  plan: BinaryPlan;
  matching: VectorMatching;
}

function pairColumn({ plan, matching }: PairRules, many: Column, one: Labels): MutableColumn {
  const isArithmetic = !isComparison(plan.operator);
  const labels = resultLabels({ many: many.labels, one }, matching, isArithmetic);
  return createColumn(labels, many.present.length, plan.returnsBool || (many.dropsName && !isArithmetic));
}

/** A sample of one side at a step; a fill has the labels of its group. */
interface Side {
  column: Column | null;
  labels: Labels;
  value: number | Histogram;
}

function combineGroup(context: Matching, group: MatchGroup): Column[] {
  const { grid, matching } = context;
  const results = new Map<string, MutableColumn>();
  // Left and right are those of a match of many to one: with group_right Prometheus has changed sides by now.
  const { fillLeft: fillMany, fillRight: fillOne } = matching;
  for (let step = 0; step < grid.count; step++) {
    if (!isMatched(context, step)) continue;
    const one = oneAt(context, group, step) ?? fillSide(group, fillOne);
    const found = new Set<string>();
    const combine = (many: Side, other: Side) => {
      const column = resultOf(context, { many, one: other, results });
      combineAt(context, { column, many, one: other, step, found });
    };
    let hasMany = false;
    for (const column of group.many) {
      const value = valueAt(column, step);
      if (value === null) continue;
      hasMany = true;
      if (one !== null) combine({ column, labels: column.labels, value }, one);
    }
    const filled = hasMany ? null : fillSide(group, fillMany);
    if (filled !== null && one !== null && one.column !== null) combine(filled, one);
  }
  return [...results.values()];
}

function isMatched({ matching, hasMany, hasOne }: Matching, step: number): boolean {
  const isFilled = matching.fillLeft !== null || matching.fillRight !== null;
  if (isFilled) return hasMany[step] === 1 || hasOne[step] === 1;
  return hasMany[step] === 1 && hasOne[step] === 1;
}

function valueAt(column: Column, step: number): number | Histogram | null {
  if (column.present[step] === ABSENT) return null;
  return histogramAt(column, step) ?? column.values[step] ?? NaN;
}

function fillSide({ labels }: MatchGroup, fill: number | null): Side | null {
  return fill === null ? null : { column: null, labels, value: fill };
}

function oneAt({ isSwapped }: Matching, { one, labels }: MatchGroup, step: number): Side | null {
  let found: Side | null = null;
  for (const column of one) {
    const value = valueAt(column, step);
    if (value === null) continue;
    if (found !== null) throw duplicates({ labels, isLeft: isSwapped, pair: [found.labels, column.labels] });
    found = { column, labels: column.labels, value };
  }
  return found;
}

function duplicates({
  labels,
  isLeft,
  pair,
}: {
  labels: Labels;
  isLeft: boolean;
  pair: [Labels, Labels];
}): QueryError {
  const series = pair.map(formatLabels).toSorted().join(", ");
  return new QueryError(
    `found duplicate series for the match group ${formatLabels(labels)} on the ${isLeft ? "left" : "right"} ` +
      `hand-side of the operation: [${series}];many-to-many matching not allowed: ` +
      "matching labels must be unique on one side",
  );
}

interface ResultOf {
  many: Side;
  one: Side;
  results: Map<string, MutableColumn>;
}

function resultOf({ plan, matching, grid }: Matching, { many, one, results }: ResultOf): MutableColumn {
  const isArithmetic = !isComparison(plan.operator);
  const labels = resultLabels({ many: many.labels, one: one.labels }, matching, isArithmetic);
  const before = results.get(labels.key);
  if (before !== undefined) return before;
  const dropsName = plan.returnsBool || (many.column?.dropsName === true && !isArithmetic);
  const column = createColumn(labels, grid.count, dropsName);
  results.set(labels.key, column);
  return column;
}

interface Combining {
  column: MutableColumn;
  many: Side;
  one: Side;
  step: number;
  /** Labels of the results at this step, to notice what is matched twice. */
  found: Set<string>;
}

function combineAt(
  { plan, matching, isSwapped, telling }: Matching,
  { column, many, one, step, found }: Combining,
): void {
  const values = isSwapped ? ([one.value, many.value] as const) : ([many.value, one.value] as const);
  const outcome = combineValues(plan.operator, values, telling);
  if (outcome === null) return;
  if (matching.cardinality === "one-to-one" && found.size > 0) {
    throw new QueryError(
      "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    );
  }
  if (found.has(column.labels.key)) {
    throw new QueryError("multiple matches for labels: grouping labels must ensure unique matches");
  }
  found.add(column.labels.key);
  if (plan.returnsBool) setFloat(column, step, outcome.isKept ? 1 : 0);
  else if (outcome.isKept) {
    if (typeof outcome.value === "number") setFloat(column, step, outcome.value);
    else setHistogram(column, step, outcome.value);
  }
}
