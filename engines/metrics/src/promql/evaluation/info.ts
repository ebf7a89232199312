import { labelValue, METRIC_NAME, type Labels } from "../../labels.ts";
import type { Matcher } from "../../storage.ts";
import { compileMatcher, matchesEmpty } from "../matcher.ts";
import type { Evaluation } from "./evaluation.ts";
import { formatLabels } from "./format-labels.ts";
import { mergeColumns, withLabels } from "./merge.ts";
import type { CallPlan, SelectorPlan } from "./plan.ts";
import { QueryError } from "./query-error.ts";
import { selectInstant } from "./select.ts";
import { ABSENT, type Column, createColumn, type Grid, type MutableColumn } from "./values.ts";

/** By these labels a series and the info metrics about it find each other. */
const IDENTIFYING = ["instance", "job"];

interface InfoTask {
  base: readonly Column[];
  selector: SelectorPlan;
  grid: Grid;
}

/** Adds the labels of info metrics to the series that they are about. */
export function evaluateInfo(evaluation: Evaluation, call: CallPlan, grid: Grid): readonly Column[] {
  const [vector, selector] = call.args;
  const value = vector === undefined ? null : evaluation.evaluate(vector, grid);
  if (value?.type !== "vector" || selector?.kind !== "selector") return [];
  const task = { base: value.columns, selector, grid };
  const isName = selector.matchers.filter(({ name }) => name === METRIC_NAME).map(compileMatcher);
  const isInfo = (labels: Labels) => isName.every((matches) => matches(labelValue(labels, METRIC_NAME)));
  const infos = indexInfos(evaluation, task, isInfo);
  const wanted = selector.matchers.filter(({ name }) => name !== METRIC_NAME);
  const results = value.columns.flatMap((column) =>
    isInfo(column.labels) ? [column] : describe(column, { infos, wanted, grid }),
  );
  return mergeColumns(results);
}

/** The newest info series at each step, by the name of its metric and what it identifies. */
type Infos = Map<string, Map<string, (Labels | undefined)[]>>;

function identity(labels: Labels): string {
  return JSON.stringify(IDENTIFYING.map((name) => labelValue(labels, name)));
}

function indexInfos(
  evaluation: Evaluation,
  { base, selector, grid }: InfoTask,
  isInfo: (labels: Labels) => boolean,
): Infos {
  const described = base.filter((column) => !isInfo(column.labels));
  const known = IDENTIFYING.map((name) => ({
    name,
    values: new Set(
      described.map((column) => labelValue(column.labels, name)).filter((value) => value !== ""),
    ),
  })).filter(({ values }) => values.size > 0);
  const infos: Infos = new Map();
  if (known.length === 0) return infos;
  const newest = new Map<(Labels | undefined)[], Float64Array>();
  const ofHistograms = new Set(
    evaluation.seriesOf(selector).flatMap(({ labels, histograms }) => (histograms ? [labels.key] : [])),
  );
  for (const column of selectInstant(evaluation, { selector, grid }, "time")) {
    if (!known.every(({ name, values }) => values.has(labelValue(column.labels, name)))) continue;
    if (ofHistograms.has(column.labels.key))
      throw new QueryError(`an info metric has floats, not histograms: ${formatLabels(column.labels)}`);
    const name = labelValue(column.labels, METRIC_NAME);
    const byIdentity = infos.get(name) ?? new Map<string, (Labels | undefined)[]>();
    infos.set(name, byIdentity);
    const key = identity(column.labels);
    const steps = byIdentity.get(key) ?? Array.from<Labels | undefined>({ length: grid.count });
    byIdentity.set(key, steps);
    const times = newest.get(steps) ?? new Float64Array(grid.count);
    newest.set(steps, times);
    takeNewest(column, { steps, times, grid });
  }
  return infos;
}

interface Taking {
  steps: (Labels | undefined)[];
  times: Float64Array;
  grid: Grid;
}

function takeNewest(column: Column, { steps, times, grid }: Taking): void {
  for (let step = 0; step < grid.count; step++) {
    if (column.present[step] === ABSENT) continue;
    const time = column.values[step] ?? 0;
    const before = steps[step];
    if (before !== undefined && time === times[step]) {
      const [atBefore, at] = [(times[step] ?? 0) * 1000, time * 1000];
      throw new QueryError(
        `found duplicate series for info metric: existing ${formatLabels(before)} @ ${atBefore}, ` +
          `new ${formatLabels(column.labels)} @ ${at}`,
      );
    }
    if (before !== undefined && time < (times[step] ?? 0)) continue;
    steps[step] = column.labels;
    times[step] = time;
  }
}

interface Describing {
  infos: Infos;
  /** Labels that are asked for; all when there are none. */
  wanted: readonly Matcher[];
  grid: Grid;
}

/** The series with the labels of its infos: several series when these change in time. */
function describe(column: Column, { infos, wanted, grid }: Describing): Column[] {
  const results = new Map<string, MutableColumn>();
  const key = identity(column.labels);
  const isOptional = wanted.every(matchesEmpty);
  for (let step = 0; step < grid.count; step++) {
    const state = column.present[step] ?? ABSENT;
    if (state === ABSENT) continue;
    const found = [...infos.values()].flatMap((byIdentity) => byIdentity.get(key)?.[step] ?? []);
    if (found.length === 0 && !isOptional) continue;
    const labels = withLabels(column.labels, collect(column.labels, found, wanted));
    const result = results.get(labels.key) ?? createColumn(labels, grid.count, column.dropsName);
    results.set(labels.key, result);
    result.present[step] = state;
    result.values[step] = column.values[step] ?? NaN;
    const histogram = column.histograms?.[step];
    if (histogram === undefined) continue;
    result.histograms ??= [];
    result.histograms[step] = histogram;
  }
  return [...results.values()];
}

function collect(own: Labels, infos: readonly Labels[], wanted: readonly Matcher[]): Map<string, string> {
  const names = new Set(wanted.map(({ name }) => name));
  const collected = new Map<string, string>();
  for (const labels of infos) {
    for (const [index, name] of labels.names.entries()) {
      if (name === METRIC_NAME || (names.size > 0 && !names.has(name))) continue;
      const value = labels.values[index] ?? "";
      const before = collected.get(name);
      if (before !== undefined && before !== value) throw new QueryError(`conflicting label: ${name}`);
      if (labelValue(own, name) === "") collected.set(name, value);
    }
  }
  return collected;
}
