import { labelValue, METRIC_NAME } from "../../labels.ts";
import { compileGroups, expandGroups, type RegexMatch } from "../label-regex.ts";
import { isValidLabelName } from "../syntax/literals.ts";
import type { Evaluation } from "./evaluation.ts";
import { mergeColumns, withLabel } from "./merge.ts";
import type { CallPlan, Plan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import type { Column, Grid } from "./values.ts";

/** The text of a string argument. */
export function stringOf(plan: Plan | undefined): string {
  return plan?.kind === "string" ? plan.value : "";
}

function columnsOf(evaluation: Evaluation, plan: Plan | undefined, grid: Grid): readonly Column[] {
  const value = plan === undefined ? null : evaluation.evaluate(plan, grid);
  return value?.type === "vector" ? value.columns : [];
}

/** Setting the name keeps it, whatever was to happen to the one before. */
function relabel(column: Column, name: string, value: string): Column {
  const dropsName = name === METRIC_NAME ? false : column.dropsName;
  return { ...column, labels: withLabel(column.labels, name, value), dropsName };
}

export function labelReplace(evaluation: Evaluation, { args }: CallPlan, grid: Grid): readonly Column[] {
  const [target, replacement, source, pattern] = args.slice(1).map(stringOf);
  const find = compile(pattern ?? "");
  if (!isValidLabelName(target ?? "")) {
    throw new QueryError(`invalid destination label name in label_replace(): ${target}`);
  }
  const columns = columnsOf(evaluation, args[0], grid).map((column) => {
    const found = find(labelValue(column.labels, source ?? ""));
    return found === null ? column : relabel(column, target ?? "", expandGroups(replacement ?? "", found));
  });
  return mergeColumns(columns);
}

function compile(pattern: string): (text: string) => RegexMatch | null {
  try {
    return compileGroups(pattern);
  } catch (cause) {
    const error = new QueryError(`invalid regular expression in label_replace(): ${pattern}`);
    error.cause = cause;
    throw error;
  }
}

export function labelJoin(evaluation: Evaluation, { args }: CallPlan, grid: Grid): readonly Column[] {
  const [target = "", separator = "", ...sources] = args.slice(1).map(stringOf);
  const wrong = sources.find((source) => !isValidLabelName(source));
  if (wrong !== undefined) throw new QueryError(`invalid source label name in label_join(): ${wrong}`);
  if (!isValidLabelName(target)) {
    throw new QueryError(`invalid destination label name in label_join(): ${target}`);
  }
  const columns = columnsOf(evaluation, args[0], grid).map((column) => {
    const value = sources.map((source) => labelValue(column.labels, source)).join(separator);
    return relabel(column, target, value);
  });
  return mergeColumns(columns);
}
