import { METRIC_NAME, type Labels } from "../../labels.ts";
import type { Postings } from "../index/postings.ts";

export interface NamedCount {
  name: string;
  count: number;
}

/** Where the series of the head come from. */
export interface CardinalityReport {
  series: number;
  labelPairs: number;
  seriesByMetric: NamedCount[];
  valuesByLabel: NamedCount[];
  /** As `name=value`. */
  seriesByLabelPair: NamedCount[];
  /** Characters of the values of each label. */
  charactersByLabel: NamedCount[];
}

/** The largest of each kind. */
export function reportCardinality({ byName, all }: Postings, limit: number): CardinalityReport {
  const labels = [...byName];
  const pairs = labels.flatMap(([name, byValue]) =>
    [...byValue].map(([value, ids]) => ({ name: `${name}=${value}`, count: ids.length })),
  );
  const characters = ([name, byValue]: [string, Map<string, number[]>]): NamedCount => {
    const count = [...byValue.keys()].reduce((sum, value) => sum + value.length, 0);
    return { name, count };
  };
  return {
    series: all.length,
    labelPairs: pairs.length,
    seriesByMetric: largest(countIds(byName.get(METRIC_NAME)), limit),
    valuesByLabel: largest(
      labels.map(([name, { size }]) => ({ name, count: size })),
      limit,
    ),
    seriesByLabelPair: largest(pairs, limit),
    charactersByLabel: largest(labels.map(characters), limit),
  };
}

/** Of the series of a metric, the labels with the most different values: which one makes it large. */
export function explainMetric(
  { byName }: Postings,
  metric: string,
  labelsOf: (id: number) => Labels,
): NamedCount[] {
  const values = new Map<string, Set<string>>();
  for (const id of byName.get(METRIC_NAME)?.get(metric) ?? []) {
    const labels = labelsOf(id);
    labels.names.forEach((name, index) => {
      const known = values.get(name) ?? new Set();
      values.set(name, known.add(labels.values[index] ?? ""));
    });
  }
  return largest(
    [...values].map(([name, { size }]) => ({ name, count: size })),
    Infinity,
  );
}

function countIds(byValue: ReadonlyMap<string, number[]> = new Map()): NamedCount[] {
  return [...byValue].map(([name, ids]) => ({ name, count: ids.length }));
}

function largest(counts: NamedCount[], limit: number): NamedCount[] {
  return counts.toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1)).slice(0, limit);
}
