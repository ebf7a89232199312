/**
 * The labels of a series, in the order of their names, without empty values. Never altered; a store makes
 * one object for each series and hands the same out again.
 */
export interface Labels {
  readonly names: readonly string[];
  readonly values: readonly string[];
  /** Equal for equal labels, and for no others. */
  readonly key: string;
}

/** The label that holds the name of the metric. */
export const METRIC_NAME = "__name__";

export const NO_LABELS: Labels = { names: [], values: [], key: "" };

/** Sorts, and leaves out what is empty: to PromQL an empty label is no label. */
export function createLabels(pairs: Iterable<readonly [string, string]>): Labels {
  const kept = [...pairs].filter(([, value]) => value !== "");
  // Senders write them in order, so that they mostly need no sorting.
  if (!areInOrder(kept)) kept.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sortedLabels(
    kept.map(([name]) => name),
    kept.map(([, value]) => value),
  );
}

function areInOrder(pairs: readonly (readonly [string, string])[]): boolean {
  let previous = "";
  for (const [name] of pairs) {
    if (name < previous) return false;
    previous = name;
  }
  return true;
}

/** For names that are in order already, with values that are not empty. */
export function sortedLabels(names: readonly string[], values: readonly string[]): Labels {
  return names.length === 0 ? NO_LABELS : { names, values, key: keyOf(names, values) };
}

/**
 * Each text with its length before it, so that none can pass for two. Joined at once: a text that grows piece
 * by piece stays a tree of its pieces, which takes several times the memory.
 */
function keyOf(names: readonly string[], values: readonly string[]): string {
  const parts: (string | number)[] = [];
  for (let index = 0; index < names.length; index++) {
    const name = names[index] ?? "";
    const value = values[index] ?? "";
    parts.push(name.length, ",", name, value.length, ",", value);
  }
  return parts.join("");
}

/** The value, empty when there is no such label. */
export function labelValue(labels: Labels, name: string): string {
  const { names } = labels;
  for (let index = 0; index < names.length; index++) {
    if (names[index] === name) return labels.values[index] ?? "";
  }
  return "";
}

/** By name and value in turn, as series are listed in an answer. */
export function compareLabels(a: Labels, b: Labels): number {
  const length = Math.min(a.names.length, b.names.length);
  for (let index = 0; index < length; index++) {
    const nameA = a.names[index] ?? "";
    const nameB = b.names[index] ?? "";
    if (nameA !== nameB) return nameA < nameB ? -1 : 1;
    const valueA = a.values[index] ?? "";
    const valueB = b.values[index] ?? "";
    if (valueA !== valueB) return valueA < valueB ? -1 : 1;
  }
  return a.names.length - b.names.length;
}
