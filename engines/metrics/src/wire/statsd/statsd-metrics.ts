import type { Histogram } from "../../histogram.ts";
import { labelNameOf } from "../otlp/prometheus-names.ts";
import { createGrowingHistogram, type GrowingHistogram } from "./growing-histogram.ts";
import { parseStatsdLine, type StatsdMetric } from "./statsd-line.ts";

export interface StatsdLimits {
  /** Series that are kept; a line that would make another is refused. */
  series: number;
  /** Different texts that a set counts between two collections. */
  setMembers: number;
}

export type StatsdSeries = {
  labels: readonly (readonly [name: string, value: string])[];
} & ({ kind: "counter" | "gauge"; value: number } | { kind: "histogram"; histogram: Histogram });

export interface StatsdCounts {
  lines: number;
  /** By reason: nothing is dropped unseen. */
  refused: Readonly<Record<string, number>>;
  /** Lines that would have made more series than the limit, and the metric of the last of them. */
  crowdedOut: { count: number; metric: string };
}

interface Kept {
  labels: StatsdSeries["labels"];
  kind: "counter" | "gauge" | "histogram" | "set";
  value: number;
  histogram: GrowingHistogram | null;
  members: Set<string>;
}

const KINDS = {
  counter: "counter",
  gauge: "gauge",
  timer: "histogram",
  distribution: "histogram",
  set: "set",
} as const;
const MS_PER_SECOND = 1000;
const CROWDED = "more series than the limit";

/**
 * Adds up what StatsD clients send. Counters and timers are cumulative, so a scrape that is missed loses
 * nothing: a timer becomes a native histogram in seconds, a distribution one in its own unit, a set a gauge
 * of how many different members came since the last collection.
 */
export function createStatsdMetrics({ limits }: { limits: StatsdLimits }) {
  const kept = new Map<string, Kept>();
  const refused = new Map<string, number>();
  let lines = 0;
  let crowdedOut = "";

  function refuse(reason: string): void {
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
  }

  function take(metric: StatsdMetric): void {
    const name = metricName(metric);
    if (name === "") return refuse("a name without a letter or digit");
    const kind = KINDS[metric.type];
    const labels = labelsOf(name, metric.tags);
    const key = JSON.stringify(labels);
    let series = kept.get(key);
    if (!series) {
      if (kept.size >= limits.series) {
        crowdedOut = name;
        return refuse(CROWDED);
      }
      series = { labels, kind, value: 0, members: new Set(), histogram: null };
      if (kind === "histogram") series.histogram = createGrowingHistogram();
      kept.set(key, series);
    }
    if (series.kind !== kind) return refuse("a name with two types");
    for (const value of metric.values) apply(series, metric, value);
  }

  function apply(series: Kept, { type, sampleRate }: StatsdMetric, text: string): void {
    const value = Number(text);
    if (series.kind === "counter") {
      if (value < 0) return refuse("a counter that falls");
      series.value += value / sampleRate;
    } else if (series.kind === "gauge") {
      series.value = /^[+-]/.test(text) ? series.value + value : value;
    } else if (series.kind === "histogram") {
      series.histogram?.add(type === "timer" ? value / MS_PER_SECOND : value, 1 / sampleRate);
    } else if (series.members.size < limits.setMembers) series.members.add(text);
    else refuse("more members of a set than the limit");
  }

  return {
    /** A datagram: lines between newlines. What is wrong is counted, and the rest taken. */
    receive(datagram: string): void {
      for (const line of datagram.split("\n")) {
        if (line.trim() === "") continue;
        lines += 1;
        const parsed = parseStatsdLine(line.trim());
        if (typeof parsed === "string") refuse(reasonOf(parsed));
        else if (parsed !== null) take(parsed);
      }
    },
    /** All series as they stand; sets begin anew. */
    collect(): StatsdSeries[] {
      return [...kept.values()].map((series) => {
        const { labels, kind, value, histogram, members } = series;
        if (histogram) return { labels, kind: "histogram", histogram: histogram.snapshot() };
        if (kind === "counter") return { labels, kind, value };
        const size = members.size;
        members.clear();
        return { labels, kind: "gauge", value: kind === "set" ? size : value };
      });
    },
    counts: (): StatsdCounts => ({
      ...{ lines, refused: Object.fromEntries(refused) },
      crowdedOut: { count: refused.get(CROWDED) ?? 0, metric: crowdedOut },
    }),
  };
}

/** Reasons are counted: what differs from line to line is left out of them. */
function reasonOf(fault: string): string {
  return fault.replace(/^"[^]*" is/, "something is");
}

/** Counters end in _total and timers in _seconds, as everywhere in Prometheus. */
function metricName({ name, type }: StatsdMetric): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_:]+/g, "_").replaceAll(/^_+|_+$/g, "");
  if (plain === "") return "";
  const led = /^[0-9]/.test(plain) ? `_${plain}` : plain;
  if (type === "counter" && !led.endsWith("_total")) return `${led}_total`;
  return type === "timer" && !led.endsWith("_seconds") ? `${led}_seconds` : led;
}

function labelsOf(metric: string, tags: StatsdMetric["tags"]): StatsdSeries["labels"] {
  const labels = tags.map(([name, value]) => [labelNameOf(name), value] as const);
  const byName = new Map<string, string>([...labels, ["__name__", metric]]);
  return [...byName].filter(([, value]) => value !== "").toSorted(([a], [b]) => (a < b ? -1 : 1));
}
