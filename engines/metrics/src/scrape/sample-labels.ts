import { createLabels, METRIC_NAME, type Labels } from "../labels.ts";
import type { SeriesName } from "../wire/text/series-text.ts";
import type { LabelMap, Relabel } from "./relabel.ts";
import { ScrapeRefused } from "./scrape-refused.ts";

/** What a sample may look like; 0: no limit. */
export interface LabelLimits {
  labels: number;
  nameLength: number;
  valueLength: number;
}

export interface LabelRules {
  /** Of the target: on every series. */
  target: Labels;
  /** Whether labels of the sample stay where the target has one of the same name. */
  honorLabels: boolean;
  relabel: Relabel;
  limits: LabelLimits;
}

const EXPORTED = "exported_";

/**
 * The labels under which a sample is kept: those it came with, those of its target, relabelled. Null: it is
 * left out. Throws ScrapeRefused beyond the limits.
 */
export function labelsOfSample({ metric, labels: written }: SeriesName, rules: LabelRules): Labels | null {
  const labels: LabelMap = new Map([[METRIC_NAME, metric], ...written.filter(([, value]) => value !== "")]);
  addTarget(labels, rules);
  if (!rules.relabel(labels) || labels.size === 0) return null;
  if (!labels.has(METRIC_NAME)) throw new ScrapeRefused(`${metric}: relabelling left no name of the metric`);
  refuseBeyond(labels, rules.limits);
  return createLabels(labels);
}

/** https://prometheus.io/docs/prometheus/latest/configuration/configuration/#scrape_config, honor_labels. */
function addTarget(labels: LabelMap, { target, honorLabels }: LabelRules): void {
  for (const [index, name] of target.names.entries()) {
    const own = labels.get(name);
    if (own !== undefined && honorLabels) continue;
    if (own !== undefined) labels.set(freeName(labels, target, EXPORTED + name), own);
    labels.set(name, target.values[index] ?? "");
  }
}

function freeName(labels: LabelMap, target: Labels, name: string): string {
  const isTaken = labels.has(name) || target.names.includes(name);
  return isTaken ? freeName(labels, target, EXPORTED + name) : name;
}

function refuseBeyond(labels: LabelMap, limits: LabelLimits): void {
  const metric = labels.get(METRIC_NAME);
  if (limits.labels > 0 && labels.size > limits.labels) {
    throw new ScrapeRefused(`${metric} has ${labels.size} labels, label_limit is ${limits.labels}`);
  }
  for (const [name, value] of labels) {
    if (limits.nameLength > 0 && name.length > limits.nameLength) {
      const limit = `label_name_length_limit is ${limits.nameLength}`;
      throw new ScrapeRefused(
        `${metric}: the name of the label ${name} has ${name.length} characters, ${limit}`,
      );
    }
    if (limits.valueLength > 0 && value.length > limits.valueLength) {
      const limit = `label_value_length_limit is ${limits.valueLength}`;
      throw new ScrapeRefused(`${metric}: the value of ${name} has ${value.length} characters, ${limit}`);
    }
  }
}
