import { compareLabels, labelValue } from "../../labels.ts";
import { compareValues } from "./aggregate-k.ts";
import { compareNaturally } from "./natural-order.ts";
import { type Column, FLOAT } from "./values.ts";

/** By value at one moment; histograms have none, and are left out. */
export function sortByValue(columns: readonly Column[], direction: 1 | -1): Column[] {
  return columns
    .filter((column) => column.present[0] === FLOAT)
    .toSorted((a, b) => compareValues(a.values[0] ?? NaN, b.values[0] ?? NaN, direction));
}

/** By labels in turn, numbers in them as numbers; by all labels when those are equal. */
export function sortByLabels(
  columns: readonly Column[],
  names: readonly string[],
  direction: 1 | -1,
): Column[] {
  return columns.toSorted((a, b) => {
    for (const name of names) {
      const order = compareNaturally(labelValue(a.labels, name), labelValue(b.labels, name));
      if (order !== 0) return direction * order;
    }
    return direction * compareLabels(a.labels, b.labels);
  });
}
