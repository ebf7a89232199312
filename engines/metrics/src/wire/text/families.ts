import { faultOf, mayHaveExemplar, partLabelOf, SUFFIXES, type TypedSample } from "./family-rules.ts";
import { createHistogramCheck, type HistogramCheck } from "./histogram-check.ts";
import { parseOpenMetrics } from "./open-metrics.ts";
import { parseSeriesText } from "./series-text.ts";
import type { MetricType, TextMetadata, TextSample, TextSink } from "./sink.ts";
import { TextError } from "./text-error.ts";

interface Family {
  name: string;
  type: MetricType;
  unit: string;
  metadata: Set<string>;
  hasSamples: boolean;
  /** Metrics that have begun; none may come again once another has. */
  groups: Set<string>;
  group: Group | null;
}

/** One metric: the samples that share their labels, but for those that tell its parts apart. */
interface Group {
  key: string;
  timestampMs: number | null;
  histogram: HistogramCheck | null;
  /** Of this time. */
  series: Set<string>;
}

/**
 * Reads OpenMetrics 1.0 with all it demands of metric families, their names, order, types and values. A
 * scrape is read by `parseOpenMetrics` alone, as many exporters keep the grammar but not these rules. Of
 * two samples of one series at one time the first is handed on.
 */
export function parseStrictOpenMetrics(text: string, sink: TextSink): void {
  const check = createFamilyCheck(sink);
  parseOpenMetrics(text, check);
  check.end();
}

function createFamilyCheck(sink: TextSink): TextSink & { end(): void } {
  const taken = new Set<string>();
  let family: Family | null = null;
  let line = 0;
  const refuse = (reason: string | null): void => {
    if (reason !== null) throw new TextError(line, reason);
  };

  function endGroup(): void {
    refuse(family?.group?.histogram?.end() ?? null);
  }

  function endFamily(): void {
    if (family === null) return;
    endGroup();
    refuse(unitFault(family));
    for (const name of new Set(["", ...SUFFIXES[family.type]].map((suffix) => `${family?.name}${suffix}`))) {
      if (taken.has(name)) refuse(`the name ${name} belongs to another metric family`);
      taken.add(name);
    }
  }

  function begin(name: string): Family {
    endFamily();
    family = {
      ...{ name, type: "unknown" as const, unit: "", hasSamples: false, group: null },
      ...{ metadata: new Set<string>(), groups: new Set<string>() },
    };
    return family;
  }

  function metadata(each: TextMetadata): void {
    line = each.line;
    const owner = family?.name === each.metric ? family : begin(each.metric);
    if (owner.hasSamples) refuse(`the ${each.kind} of ${each.metric} stands behind its samples`);
    if (owner.metadata.has(each.kind)) refuse(`${each.metric} has its ${each.kind} twice`);
    owner.metadata.add(each.kind);
    if (each.kind === "type") owner.type = typeOf(each.text);
    if (each.kind === "unit") owner.unit = each.text;
    sink.metadata(each);
  }

  function sample(each: TextSample): void {
    line = each.line;
    const name = parseSeriesText(each.series, { isLoose: false }, line);
    const owner = family !== null && suffixOf(family, name.metric) !== null ? family : begin(name.metric);
    const suffix = suffixOf(owner, name.metric) ?? "";
    owner.hasSamples = true;
    const typed: TypedSample = { family: owner.name, type: owner.type, suffix, name, value: each.value };
    refuse(faultOf(typed));
    if (each.exemplar && !mayHaveExemplar(typed)) refuse(`an exemplar cannot stand at ${name.metric}`);
    const isNew = enterGroup(owner, typed, each);
    if (isNew) sink.sample(each);
  }

  /** Whether the series has not been seen at this time. */
  function enterGroup(owner: Family, typed: TypedSample, { timestampMs, series }: TextSample): boolean {
    const key = groupKeyOf(typed);
    const previous = owner.group;
    const isSame = previous?.key === key;
    if (previous && isSame) refuse(timeFault(owner, previous.timestampMs, timestampMs));
    if (!isSame && owner.groups.has(key))
      refuse(`the samples of a metric of ${owner.name} do not stand together`);
    if (!previous || !isSame || previous.timestampMs !== timestampMs) {
      endGroup();
      const isHistogram = owner.type === "histogram" || owner.type === "gaugehistogram";
      const histogram = isHistogram ? createHistogramCheck(owner.type) : null;
      owner.group = { key, timestampMs, histogram, series: new Set() };
      owner.groups.add(key);
    }
    const group = owner.group;
    if (!group || group.series.has(series)) return false;
    group.series.add(series);
    refuse(group.histogram?.add(typed) ?? null);
    return true;
  }

  return { metadata, sample, end: endFamily };
}

/** What follows the family's name in a sample of it; null when it is none of its samples. */
function suffixOf({ name, type }: Family, metric: string): string | null {
  if (!metric.startsWith(name)) return null;
  const suffix = metric.slice(name.length);
  return SUFFIXES[type].includes(suffix) ? suffix : null;
}

function groupKeyOf(typed: TypedSample): string {
  // What tells infos apart are all their labels: they make one metric.
  if (typed.type === "info") return "";
  const part = partLabelOf(typed);
  const labels = typed.name.labels.filter(([name]) => name !== part);
  return JSON.stringify(labels.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function timeFault({ type }: Family, before: number | null, now: number | null): string | null {
  if ((before === null) !== (now === null)) return "some samples of a metric have a time, others have none";
  if (before === null || now === null || type === "info") return null;
  return now < before ? "time goes backwards within a metric" : null;
}

function unitFault({ name, type, unit }: Family): string | null {
  if (unit === "") return null;
  if (type === "info" || type === "stateset") return `a ${type} has no unit`;
  return name.endsWith(`_${unit}`) ? null : `the name ${name} does not end in its unit, _${unit}`;
}

function typeOf(text: string): MetricType {
  const type = Object.keys(SUFFIXES).find((each): each is MetricType => each === text);
  if (type === undefined) throw new RangeError(`${text} is no type of a metric`);
  return type;
}
