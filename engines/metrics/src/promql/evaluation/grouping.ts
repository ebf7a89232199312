import { labelValue, METRIC_NAME, type Labels, sortedLabels } from "../../labels.ts";
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

/** Groups that are found by the labels of their series. */
export interface Groups<Group> {
  of(labels: Labels): Group;
  /** In the order in which they were first asked for. */
  all(): Group[];
}

/** Groups that are made when their first series comes. */
export function createGroups<Group>(by: Grouping, make: (labels: Labels) => Group): Groups<Group> {
  const labelsOf = createGrouper(by);
  const all: Group[] = [];
  const begin = (labels: Labels): Group => {
    const group = make(labelsOf(labels));
    all.push(group);
    return group;
  };
  const of = by.isWithout ? findByKey(labelsOf, begin) : findByValues(by.grouping, begin);
  return { of, all: () => all };
}

function findByKey<Group>(
  labelsOf: (labels: Labels) => Labels,
  begin: (labels: Labels) => Group,
): (labels: Labels) => Group {
  const groups = new Map<string, Group>();
  return (labels) => {
    const { key } = labelsOf(labels);
    const known = groups.get(key);
    if (known !== undefined) return known;
    const group = begin(labels);
    groups.set(key, group);
    return group;
  };
}

/** Groups by the value of the first label, below it by that of the second: no labels are made to find one. */
interface Branch<Group> {
  branches: Map<string, Branch<Group>> | null;
  group: Group | null;
}

function findByValues<Group>(
  names: readonly string[],
  begin: (labels: Labels) => Group,
): (labels: Labels) => Group {
  const root: Branch<Group> = { branches: null, group: null };
  return (labels) => {
    let branch = root;
    for (const name of names) {
      const value = labelValue(labels, name);
      const branches: Map<string, Branch<Group>> = (branch.branches ??= new Map());
      let next = branches.get(value);
      if (next === undefined) branches.set(value, (next = { branches: null, group: null }));
      branch = next;
    }
    return (branch.group ??= begin(labels));
  };
}

export interface ColumnGroup {
  labels: Labels;
  columns: Column[];
}

/** In the order in which the groups first occur. */
export function groupColumns(columns: readonly Column[], by: Grouping): ColumnGroup[] {
  const groups = createGroups<ColumnGroup>(by, (labels) => ({ labels, columns: [] }));
  for (const column of columns) groups.of(column.labels).columns.push(column);
  return groups.all();
}
