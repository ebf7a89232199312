import { labelValue, METRIC_NAME, type Labels } from "../../labels.ts";
import type { VectorMatching } from "../syntax/ast.ts";
import { onlyLabels } from "./grouping.ts";
import { withLabels, withoutLabels, withoutName } from "./merge.ts";

/** The labels by which series of both sides find each other. */
export function createSignature({ isOn, labels }: VectorMatching): (labels: Labels) => Labels {
  const names = new Set(isOn ? labels : [...labels, METRIC_NAME]);
  return isOn ? (of) => onlyLabels(of, names) : (of) => withoutLabels(of, names);
}

interface Pair {
  /** Of the side with many, or of the left one. */
  many: Labels;
  one: Labels;
}

/** The labels of what a pair of series makes. */
export function resultLabels({ many, one }: Pair, matching: VectorMatching, isArithmetic: boolean): Labels {
  const { cardinality, isOn, labels, include } = matching;
  let result = isArithmetic ? withoutName(many) : many;
  if (cardinality === "one-to-one") {
    const names = new Set(labels);
    result = isOn ? onlyLabels(result, names) : withoutLabels(result, names);
  }
  if (include.length === 0) return result;
  return withLabels(result, new Map(include.map((name) => [name, labelValue(one, name)])));
}
