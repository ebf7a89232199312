import type { Clock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";
import type { Log } from "./log.ts";

/** One metric with all its series, as it goes into the answer of /metrics. */
export interface MetricFamily {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  samples: MetricSample[];
}
export interface MetricSample {
  labels: Record<string, string>;
  value: number;
  /** "_bucket", "_sum" and "_count" of a histogram. */
  suffix?: string;
}

export interface MetricDefinition<Label extends string> {
  /** `mainstay_<room>_<noun>_<unit>`; a counter ends in `_total`. */
  name: string;
  help: string;
  labels?: readonly Label[];
}
type Values<Label extends string> = Readonly<Record<Label, string>>;

export interface Counter<Label extends string> {
  add(labels: Values<Label>, by?: number): void;
}
export interface Gauge<Label extends string> {
  set(labels: Values<Label>, value: number): void;
}
export interface Histogram<Label extends string> {
  observe(labels: Values<Label>, value: number): void;
}
export type Collector = () => Promise<MetricFamily[]> | MetricFamily[];

/** The metrics of this process. A part asks for its metrics once, when it is created. */
export interface Metrics {
  counter<Label extends string = never>(definition: MetricDefinition<Label>): Counter<Label>;
  gauge<Label extends string = never>(definition: MetricDefinition<Label>): Gauge<Label>;
  /** `bounds`: upper bounds of the buckets, rising. */
  histogram<Label extends string = never>(
    definition: MetricDefinition<Label> & { bounds: readonly number[] },
  ): Histogram<Label>;
  /**
   * Asked at every scrape for figures that live elsewhere; one that fails or is late is counted, not shown.
   */
  registerCollector(name: string, collect: Collector): void;
  /** Prometheus text format 0.0.4. */
  render(): Promise<string>;
}

export const METRICS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const SERIES_LIMIT = 1_000;
const COLLECTOR_TIMEOUT_MS = 2_000;
const NAME = /^mainstay(_[a-z0-9]+){2,}$/;

/** An empty registry. */
export function createMetrics({ clock, log }: { clock: Clock; log: Log }): Metrics {
  const families = new Map<string, () => MetricFamily>();
  const collectors: { name: string; collect: Collector }[] = [];
  const dropped = counter({
    name: "mainstay_metrics_dropped_samples_total",
    help: "Samples of series beyond the limit.",
    labels: ["metric"],
  });
  const failures = counter({
    name: "mainstay_metrics_collector_failures_total",
    help: "Collectors that failed or were late at a scrape.",
    labels: ["collector"],
  });

  function register<State, Label extends string>(
    definition: MetricDefinition<Label>,
    kind: Kind<State>,
  ): Update<State, Label> {
    const { name } = definition;
    if (!NAME.test(name)) throw new Error(`${name} is not a name of the form mainstay_<room>_<noun>_<unit>`);
    if ((kind.type === "counter") !== name.endsWith("_total"))
      throw new Error(`${name}: _total is for counters`);
    if (families.has(name)) throw new Error(`the metric ${name} is there already`);
    const { family, update } = createFamily(definition, kind, () => dropped.add({ metric: name }));
    families.set(name, family);
    return update;
  }

  function counter<Label extends string = never>(definition: MetricDefinition<Label>): Counter<Label> {
    const update = register(definition, { type: "counter", zero: () => 0, toSamples: plainSample });
    return { add: (labels, by = 1) => update(labels, (value) => value + Math.max(0, by)) };
  }

  async function collect(): Promise<MetricFamily[]> {
    const collected = collectors.map(async ({ name, collect: ask }) => {
      try {
        return await withDeadline({ clock, ms: COLLECTOR_TIMEOUT_MS }, ask());
      } catch (error) {
        failures.add({ collector: name });
        log.warn({ collector: name, error }, "metrics collector failed");
        return [];
      }
    });
    return (await Promise.all(collected)).flat();
  }

  return {
    counter,
    gauge(definition) {
      const update = register(definition, { type: "gauge", zero: () => 0, toSamples: plainSample });
      return { set: (labels, value) => update(labels, () => value) };
    },
    histogram(definition) {
      const update = register(definition, histogramKind(definition.bounds));
      return { observe: (labels, value) => update(labels, (state) => addToHistogram(state, value)) };
    },
    registerCollector: (name, ask) => void collectors.push({ name, collect: ask }),
    async render() {
      const collected = await collect();
      const own = [...families.values()].map((family) => family());
      return [...own, ...collected].map(renderFamily).join("");
    },
  };
}

/** What sets a counter, a gauge and a histogram apart: what a series holds and how that is shown. */
interface Kind<State> {
  type: MetricFamily["type"];
  zero(): State;
  toSamples(state: State, labels: Record<string, string>): MetricSample[];
}
type Update<State, Label extends string> = (labels: Values<Label>, change: (state: State) => State) => void;

function createFamily<State, Label extends string>(
  { name, help, labels = [] }: MetricDefinition<Label>,
  kind: Kind<State>,
  onDropped: () => void,
): { family: () => MetricFamily; update: Update<State, Label> } {
  const series = new Map<string, { labels: Record<string, string>; state: State }>();
  if (labels.length === 0) series.set("", { labels: {}, state: kind.zero() });

  return {
    family: () => ({
      name,
      help,
      type: kind.type,
      samples: [...series.values()].flatMap((each) => kind.toSamples(each.state, each.labels)),
    }),
    update(values, change) {
      const key = labels.map((label) => values[label]).join("\0");
      const present = series.get(key);
      if (present) {
        present.state = change(present.state);
        return;
      }
      if (series.size >= SERIES_LIMIT) return onDropped();
      const picked = Object.fromEntries(labels.map((label) => [label, values[label]]));
      series.set(key, { labels: picked, state: change(kind.zero()) });
    },
  };
}

function histogramKind(bounds: readonly number[]): Kind<HistogramState> {
  return {
    type: "histogram",
    zero: () => ({ bounds, counts: bounds.map(() => 0), sum: 0, count: 0 }),
    toSamples: histogramSamples,
  };
}

function addToHistogram(state: HistogramState, value: number): HistogramState {
  const bucket = state.bounds.findIndex((bound) => value <= bound);
  const counts = state.counts.map((count, index) => (index === bucket ? count + 1 : count));
  return { ...state, counts, sum: state.sum + value, count: state.count + 1 };
}

function plainSample(value: number, labels: Record<string, string>): MetricSample[] {
  return [{ labels, value }];
}

interface HistogramState {
  bounds: readonly number[];
  /** Per bucket, not cumulative; what lies above the last bound is only in `count`. */
  counts: readonly number[];
  sum: number;
  count: number;
}

/** The samples of one histogram series: cumulative buckets, sum and count. */
function histogramSamples(state: HistogramState, labels: Record<string, string>): MetricSample[] {
  let cumulative = 0;
  const buckets = state.bounds.map((bound, index) => {
    cumulative += state.counts[index] ?? 0;
    return { suffix: "_bucket", labels: { ...labels, le: formatNumber(bound) }, value: cumulative };
  });
  return [
    ...buckets,
    { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: state.count },
    { suffix: "_sum", labels, value: state.sum },
    { suffix: "_count", labels, value: state.count },
  ];
}

/** Text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/ */
function renderFamily({ name, help, type, samples }: MetricFamily): string {
  if (samples.length === 0) return "";
  const lines = samples.map((sample) => {
    const labels = Object.entries(sample.labels).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
    const inBraces = labels.length > 0 ? `{${labels.join(",")}}` : "";
    return `${name}${sample.suffix ?? ""}${inBraces} ${formatNumber(sample.value)}\n`;
  });
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function formatNumber(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
