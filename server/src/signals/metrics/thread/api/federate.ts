import {
  compareLabels,
  isStaleAt,
  labelValue,
  METRIC_NAME,
  type Labels,
  type Series,
} from "@mainstay/metrics/model";
import { ApiError } from "../../api-error.ts";
import { querySettings } from "../query-settings.ts";
import { parseSelector } from "../selectors.ts";
import type { Answered, Call } from "./call.ts";
import { valueText } from "./json.ts";

const LOOKBACK_MS = 300_000;
const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

interface Line {
  metric: string;
  labels: Labels;
  text: string;
}

/**
 * `federate`: the newest sample of each series that matches, as text. Native histograms have no form in it:
 * they are left out, and counted in a comment.
 */
export async function answerFederate(call: Call): Promise<Answered> {
  const { parameters, store, clock } = call;
  const match = parameters.all("match[]");
  if (match.length === 0) throw new ApiError("bad_data", "no match[] parameter provided");
  const nowMs = clock.now().getTime();
  const { createQueryBudget } = await import("@mainstay/metrics");
  const budget = createQueryBudget(querySettings(call, {}).limits);
  const hints = { stepMs: 0, rangeMs: 0, functionName: "" };
  const found = new Map<string, Series>();
  for (const text of match) {
    const range = { fromMs: nowMs - LOOKBACK_MS, toMs: nowMs };
    for (const series of store.select(await parseSelector(text), { ...range, hints, budget }))
      found.set(series.labels.key, series);
  }
  const [histograms, floats] = divide([...found.values()]);
  const left = histograms.length;
  const note = left > 0 ? `# ${left} series are native histograms, which this format does not have\n` : "";
  const lines = floats.map(lineOf).filter((line) => line !== null);
  return { contentType: TEXT_TYPE, text: `${note}${textOf(lines.toSorted(byMetric))}` };
}

/** Those whose newest sample is a histogram, and the others. */
function divide(series: readonly Series[]): [Series[], Series[]] {
  const isHistogram = ({ floats, histograms }: Series) =>
    (histograms?.timestampsMs.at(-1) ?? -Infinity) > (floats.timestampsMs.at(-1) ?? -Infinity);
  return [series.filter(isHistogram), series.filter((each) => !isHistogram(each))];
}

function byMetric(a: Line, b: Line): number {
  if (a.metric !== b.metric) return a.metric < b.metric ? -1 : 1;
  return compareLabels(a.labels, b.labels);
}

function textOf(lines: readonly Line[]): string {
  let text = "";
  let metric = "";
  for (const line of lines) {
    if (line.metric !== metric) text += `# TYPE ${quoted(line.metric)} untyped\n`;
    text += line.text;
    ({ metric } = line);
  }
  return text;
}

/** Null for a series that has ended. */
function lineOf({ labels, floats }: Series): Line | null {
  const last = floats.values.length - 1;
  const timeMs = floats.timestampsMs[last];
  if (timeMs === undefined || isStaleAt(floats.values, last)) return null;
  const metric = labelValue(labels, METRIC_NAME);
  const value = valueText(floats.values[last] ?? NaN);
  return { metric, labels, text: `${nameOf(metric, labels)} ${value} ${timeMs}\n` };
}

function nameOf(metric: string, { names, values }: Labels): string {
  const pairs = names.flatMap((name, index) =>
    name === METRIC_NAME ? [] : [`${quoted(name)}="${escaped(values[index] ?? "")}"`],
  );
  // A federated series without one would get that of the scrape.
  if (!names.includes("instance")) pairs.push(`instance=""`);
  return PLAIN_NAME.test(metric)
    ? `${metric}{${pairs.join(",")}}`
    : `{${[quoted(metric), ...pairs].join(",")}}`;
}

function quoted(name: string): string {
  return PLAIN_NAME.test(name) ? name : `"${escaped(name)}"`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
