import {
  compareLabels,
  type Histogram,
  type Labels,
  type QueryResult,
  type ResultValue,
} from "@mainstay/metrics";
import type { EvalCommand, Expectation } from "./script.ts";
import { type NotedSeries, type NotedValue, parseFloatValue, parseSeries } from "./series-notation.ts";

const EPSILON = 1e-6;

/** Relative to the sum of both, as the original does it. */
function isAlmost(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (Number.isNaN(a) || Number.isNaN(b)) return false;
  const difference = Math.abs(a - b);
  const size = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || size < 2.2250738585072014e-308)
    return difference < EPSILON * 2.2250738585072014e-308;
  return difference / Math.min(size, Number.MAX_VALUE) < EPSILON;
}

/** A sample of an answer, or what is expected of it. */
type Sample = [timeMs: number, value: number | Histogram];

/** The first thing that is not as expected, or null. */
export function compareAnnotations(command: EvalCommand, { warnings, infos }: QueryResult): string | null {
  const of = (type: Expectation["type"]) => command.expectations.filter((each) => each.type === type);
  return (
    compareMessages("warning", of("warn"), warnings) ??
    compareMessages("info", of("info"), infos) ??
    (of("no_warn").length > 0 && warnings.length > 0 ? `unexpected warning: ${warnings[0]}` : null) ??
    (of("no_info").length > 0 && infos.length > 0 ? `unexpected info: ${infos[0]}` : null)
  );
}

function compareMessages(
  kind: string,
  expected: readonly Expectation[],
  messages: readonly string[],
): string | null {
  if (expected.length === 0) return null;
  if (messages.length === 0) return `expected a ${kind}, got none`;
  const lacking = expected.find((each) => !messages.some((message) => matchesMessage(each, message)));
  if (lacking !== undefined) return `no ${kind} as "${lacking.text}" among: ${messages.join(" | ")}`;
  const surplus = messages.find((message) => !expected.some((each) => matchesMessage(each, message)));
  return surplus === undefined ? null : `unexpected ${kind}: ${surplus}`;
}

export function matchesMessage({ match, text }: Expectation, message: string): boolean {
  if (match === "any") return true;
  return match === "msg" ? text === message : new RegExp(text).test(message);
}

/** Compares an answer with the series that a test expects. */
export function compareValue(command: EvalCommand, value: ResultValue): string | null {
  if (command.expectedString !== null) {
    const isEqual = value.type === "string" && value.value === command.expectedString;
    return isEqual ? null : `expected the string "${command.expectedString}", got ${JSON.stringify(value)}`;
  }
  const scalar = expectedScalar(command);
  if (scalar !== null) {
    if (value.type !== "scalar") return `expected a scalar, got a ${value.type}`;
    return isAlmost(value.value, scalar) ? null : `expected ${scalar}, got ${value.value}`;
  }
  if (value.type === "scalar" || value.type === "string") return `expected series, got a ${value.type}`;
  return value.type === "vector" ? compareVector(command, value) : compareMatrix(command, value);
}

/** The number that is expected when the query yields one alone. */
function expectedScalar({ expected }: EvalCommand): number | null {
  const [line, ...more] = expected;
  if (line === undefined || more.length > 0 || !/^[+-]?(?:[\d.]|inf|nan)/i.test(line)) return null;
  const number = parseFloatValue(line);
  return Number.isNaN(number) && !/^nan$/i.test(line) ? null : number;
}

function compareVector(
  command: EvalCommand,
  { samples }: Extract<ResultValue, { type: "vector" }>,
): string | null {
  const expected = command.expected.map(parseSeries);
  for (const [index, { labels, value }] of samples.entries()) {
    const at = expected.findIndex((each) => each.labels.key === labels.key);
    const [noted] = expected[at]?.values ?? [];
    if (noted === undefined || noted === null) return `unexpected ${show(labels)} with ${showValue(value)}`;
    if (command.isOrdered && at !== index) return `${show(labels)} is at ${index}, expected at ${at}`;
    const difference = compareSample(noted, value);
    if (difference !== null) return `${show(labels)}: ${difference}`;
  }
  return missing(
    expected,
    samples.map(({ labels }) => labels),
  );
}

function missing(expected: readonly NotedSeries[], found: readonly Labels[]): string | null {
  const keys = new Set(found.map((labels) => labels.key));
  const lacking = expected.find((each) => !keys.has(each.labels.key));
  return lacking === undefined ? null : `expected ${show(lacking.labels)}, which is not there`;
}

function compareMatrix(
  command: EvalCommand,
  { series }: Extract<ResultValue, { type: "matrix" }>,
): string | null {
  const expected = command.expected.map(parseSeries);
  const { startMs, stepMs } = command.range ?? command.expectedRange ?? { startMs: 0, stepMs: 0 };
  const unsorted = series.findIndex((each, index) => {
    const next = series[index + 1];
    return next !== undefined && compareLabels(each.labels, next.labels) > 0;
  });
  if (unsorted >= 0) return "the series are not sorted";
  for (const each of series) {
    const noted = expected.find(({ labels }) => labels.key === each.labels.key);
    const samples = samplesOf(each);
    if (noted === undefined)
      return `unexpected ${show(each.labels)} with ${samples.map(([, value]) => showValue(value)).join(" ")}`;
    const wanted = noted.values.flatMap((value, index): [number, NotedValue][] =>
      value === null ? [] : [[startMs + index * stepMs, value]],
    );
    if (wanted.length !== samples.length) {
      return `${show(each.labels)}: expected ${wanted.length} points, got ${samples.map(([at, value]) => `${showValue(value)}@${at}`).join(" ")}`;
    }
    for (const [index, [timeMs, value]] of wanted.entries()) {
      const sample = samples[index];
      if (sample?.[0] !== timeMs)
        return `${show(each.labels)}: expected a point at ${timeMs}, got one at ${sample?.[0]}`;
      const difference = compareSample(value, sample[1]);
      if (difference !== null) return `${show(each.labels)} at ${timeMs}: ${difference}`;
    }
  }
  return missing(
    expected,
    series.map(({ labels }) => labels),
  );
}

export function samplesOf(series: Extract<ResultValue, { type: "matrix" }>["series"][number]): Sample[] {
  const floats = Array.from(series.timestampsMs, (timeMs, index): Sample => [
    timeMs,
    series.values[index] ?? NaN,
  ]);
  const histograms = series.histograms.map((value, index): Sample => [
    series.histogramTimestampsMs[index] ?? NaN,
    value,
  ]);
  return [...floats, ...histograms].toSorted(([a], [b]) => a - b);
}

function compareSample({ value: expected, hasHint }: NotedValue, actual: number | Histogram): string | null {
  if (typeof expected === "string") return "expected a staleness marker";
  const difference = `expected ${showValue(expected)}, got ${showValue(actual)}`;
  if (typeof expected === "number" || typeof actual === "number") {
    const isEqual = typeof expected === "number" && typeof actual === "number" && isAlmost(expected, actual);
    return isEqual ? null : difference;
  }
  const isEqual =
    isAlmostHistogram(expected, actual) && (!hasHint || expected.resetHint === actual.resetHint);
  return isEqual ? null : difference;
}

function isAlmostHistogram(a: Histogram, b: Histogram): boolean {
  return (
    a.schema === b.schema &&
    isAlmost(a.count, b.count) &&
    isAlmost(a.sum, b.sum) &&
    a.zeroThreshold === b.zeroThreshold &&
    isAlmost(a.zeroCount, b.zeroCount) &&
    a.customBounds.join() === b.customBounds.join() &&
    isAlmostBuckets(a.positive, b.positive) &&
    isAlmostBuckets(a.negative, b.negative)
  );
}

/** Empty buckets count for nothing. */
function isAlmostBuckets(a: Histogram["positive"], b: Histogram["positive"]): boolean {
  const [x, y] = [a, b].map(({ indexes, counts }) =>
    Array.from(indexes, (index, at): [number, number] => [index, counts[at] ?? 0]).filter(
      ([, count]) => count !== 0,
    ),
  );
  if (x === undefined || y === undefined || x.length !== y.length) return false;
  return x.every(([index, count], at) => index === y[at]?.[0] && isAlmost(count, y[at]?.[1] ?? NaN));
}

function show({ names, values }: Labels): string {
  return `{${names.map((name, index) => `${name}="${values[index]}"`).join(", ")}}`;
}

function showValue(value: unknown): string {
  if (typeof value === "number") return String(value);
  return JSON.stringify(value, (_, each: unknown) =>
    ArrayBuffer.isView(each)
      ? [...(each instanceof Float64Array || each instanceof Int32Array ? each : [])]
      : each,
  );
}
