import { METRIC_NAME, type Labels, sortedLabels } from "../../labels.ts";
import { withoutLabels } from "./merge.ts";
import type { Column } from "./values.ts";

/** The labels that the groups of an aggregation keep, or (with `without`) lose. */
export interface Grouping {
  readonly grouping: readonly string[];
  readonly isWithout: boolean;
}

/** The labels of the group that a series belongs to. */
export function createGrouper({ grouping, isWithout }: Grouping): (labels: Labels) => Labels {
  const names = new Set(isWithout ? [...grouping, METRIC_NAME] : grouping);
  return isWithout ? (labels) => withoutLabels(labels, names) : (labels) => onlyLabels(labels, names);
}

/** The labels of these names alone. */
export function onlyLabels(labels: Labels, kept: ReadonlySet<string>): Labels {
  const names: string[] = [];
  const values: string[] = [];
  for (let index = 0; index < labels.names.length; index++) {
    const name = labels.names[index] ?? "";
    if (!kept.has(name)) continue;
    names.push(name);
    values.push(labels.values[index] ?? "");
  }
  return sortedLabels(names, values);
}

export interface ColumnGroup {
  labels: Labels;
  columns: Column[];
}

/** In the order in which the groups first occur. */
export function groupColumns(columns: readonly Column[], by: Grouping): ColumnGroup[] {
  const group = createGrouper(by);
  const groups = new Map<string, ColumnGroup>();
  for (const column of columns) {
    const labels = group(column.labels);
    const found = groups.get(labels.key);
    if (found === undefined) groups.set(labels.key, { labels, columns: [column] });
    else found.columns.push(column);
  }
  return [...groups.values()];
}
