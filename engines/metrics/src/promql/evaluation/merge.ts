import { METRIC_NAME, type Labels, sortedLabels } from "../../labels.ts";
import { QueryError } from "./query-error.ts";
import { ABSENT, type Column, type MutableColumn } from "./values.ts";

/** Labels that describe a metric rather than a series; they go when a value no longer is that metric. */
const DESCRIPTIVE: ReadonlySet<string> = new Set([METRIC_NAME, "__type__", "__unit__"]);

/** The labels without those of the names. */
export function withoutLabels(labels: Labels, dropped: { has(name: string): boolean }): Labels {
  if (!labels.names.some((name) => dropped.has(name))) return labels;
  const names: string[] = [];
  const values: string[] = [];
  for (const [index, name] of labels.names.entries()) {
    if (dropped.has(name)) continue;
    names.push(name);
    values.push(labels.values[index] ?? "");
  }
  return sortedLabels(names, values);
}

/** The labels without the metric's name, type and unit. */
export function withoutName(labels: Labels): Labels {
  return withoutLabels(labels, DESCRIPTIVE);
}

/** The labels with one set, or taken away by an empty value. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  return withLabels(labels, new Map([[name, value]]));
}

export function withLabels(labels: Labels, changes: ReadonlyMap<string, string>): Labels {
  const pairs = labels.names
    .map((name, index): [string, string] => [name, labels.values[index] ?? ""])
    .filter(([name]) => !changes.has(name));
  for (const [name, value] of changes) if (value !== "") pairs.push([name, value]);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return sortedLabels(
    pairs.map(([name]) => name),
    pairs.map(([, value]) => value),
  );
}

/** Columns of the same labels become one; two samples at one step are an error. */
export function mergeColumns(columns: readonly Column[]): readonly Column[] {
  const merged = new Map<string, Column | MutableColumn>();
  const owned = new Set<Column>();
  for (const column of columns) {
    const before = merged.get(column.labels.key);
    if (before === undefined) {
      merged.set(column.labels.key, column);
      continue;
    }
    const target = owned.has(before) ? before : copyColumn(before);
    const result = mergeInto(target, column);
    owned.add(result);
    merged.set(column.labels.key, result);
  }
  return merged.size === columns.length ? columns : [...merged.values()];
}

/** A column of its own with the same content. */
export function copyColumn(column: Column): MutableColumn {
  const { present, values, histograms } = column;
  return {
    ...column,
    present: present.slice(),
    values: values.slice(),
    histograms: histograms?.slice() ?? null,
  };
}

function mergeInto(target: MutableColumn | Column, column: Column): Column {
  const { present, values } = target;
  let { histograms } = target;
  for (let step = 0; step < column.present.length; step++) {
    const state = column.present[step] ?? ABSENT;
    if (state === ABSENT) continue;
    if (present[step] !== ABSENT)
      throw new QueryError("vector cannot contain metrics with the same labelset");
    present[step] = state;
    values[step] = column.values[step] ?? NaN;
    const histogram = column.histograms?.[step];
    if (histogram === undefined) continue;
    histograms ??= [];
    histograms[step] = histogram;
  }
  return { ...target, histograms };
}

/** What an answer shows: names that were to be dropped are gone. */
export function finishColumns(columns: readonly Column[]): readonly Column[] {
  return mergeColumns(
    columns.map((column) => (column.dropsName ? { ...column, labels: withoutName(column.labels) } : column)),
  );
}

/** Once computed for all steps of a grid. */
export function repeat(column: Column, count: number): Column {
  const histogram = column.histograms?.[0];
  return {
    ...column,
    present: new Uint8Array(count).fill(column.present[0] ?? ABSENT),
    values: new Float64Array(count).fill(column.values[0] ?? NaN),
    histograms: histogram === undefined ? null : Array.from({ length: count }, () => histogram),
  };
}
