import {
  createLabels,
  CUSTOM_BUCKETS_SCHEMA,
  type Histogram,
  type Labels,
  NO_BUCKETS,
  type ResetHint,
} from "@mainstay/metrics";
import { addHistograms, parseSeconds, type WrittenSample } from "@mainstay/metrics/testing";

/** A value of a series as the test language writes it; null where there is none. */
export interface NotedValue {
  value: WrittenSample["value"];
  /** What is known about resets was written down, and is compared. */
  hasHint: boolean;
}

export interface NotedSeries {
  labels: Labels;
  values: (NotedValue | null)[];
}

/** `metric{a="b"} 1 2+1x3 _ {{schema:0 sum:1 count:1}}`: labels and values. */
export function parseSeries(line: string): NotedSeries {
  const end = endOfLabels(line);
  return { labels: parseLabels(line.slice(0, end)), values: parseValues(line.slice(end).trim()) };
}

function endOfLabels(line: string): number {
  const head = /^[^\s{]*\s*(?=\{(?!\{))|^[^\s{]+/.exec(line)?.[0] ?? "";
  if (line[head.length] !== "{") return head.length;
  let quoted = "";
  for (let at = head.length; at < line.length; at++) {
    const char = line[at] ?? "";
    if (quoted !== "") {
      if (char === "\\" && quoted !== "`") at += 1;
      else if (char === quoted) quoted = "";
    } else if (`"'\``.includes(char)) quoted = char;
    else if (char === "}") return at + 1;
  }
  throw new Error(`labels do not end: ${line}`);
}

const PAIR = /\s*(?:([a-zA-Z_]\w*)|("(?:[^"\\]|\\.)*"))\s*(?:=\s*("(?:[^"\\]|\\.)*"|'[^']*'|`[^`]*`))?\s*,?/y;

function parseLabels(text: string): Labels {
  const brace = text.indexOf("{");
  const name = (brace < 0 ? text : text.slice(0, brace)).trim();
  const pairs: [string, string][] = name === "" ? [] : [["__name__", name]];
  const inner = brace < 0 ? "" : text.slice(brace + 1, text.lastIndexOf("}"));
  PAIR.lastIndex = 0;
  for (;;) {
    const found = PAIR.exec(inner);
    if (found === null) break;
    const [, plain, quoted, value] = found;
    const label = plain ?? unquote(quoted ?? '""');
    if (value === undefined) pairs.push(["__name__", label]);
    else pairs.push([label, unquote(value)]);
  }
  return createLabels(pairs);
}

function unquote(text: string): string {
  return text.startsWith('"') ? JSON.parse(text) : text.slice(1, -1);
}

const NUMBER = String.raw`[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[iI]nf|[nN]a[nN])`;
const ITEM = new RegExp(
  String.raw`\s*(?:(?<none>_)(?:x(?<noneTimes>\d+))?|(?<stale>stale)(?:x(?<staleTimes>\d+))?` +
    String.raw`|(?<from>${NUMBER})(?:(?<by>[+-](?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+))?x(?<times>\d+))?` +
    String.raw`|\{\{(?<histogram>[^}]*)\}\}(?:(?:(?<sign>[+-])\{\{(?<step>[^}]*)\}\})?x(?<histogramTimes>\d+))?)(?=\s|$)`,
  "y",
);

function parseValues(text: string): (NotedValue | null)[] {
  const values: (NotedValue | null)[] = [];
  ITEM.lastIndex = 0;
  let end = 0;
  for (;;) {
    const found = ITEM.exec(text);
    if (found?.groups === undefined) break;
    values.push(...expand(found.groups));
    end = ITEM.lastIndex;
  }
  if (text.slice(end).trim() !== "") throw new Error(`no values: ${text.slice(end)}`);
  return values;
}

function expand(item: Record<string, string | undefined>): (NotedValue | null)[] {
  const { none, noneTimes, stale, staleTimes, from, by, times } = item;
  if (none !== undefined) return Array.from({ length: Number(noneTimes ?? 1) }, () => null);
  if (stale !== undefined) {
    return Array.from({ length: Number(staleTimes ?? 0) + 1 }, () => ({ value: "stale", hasHint: false }));
  }
  if (from === undefined) return expandHistogram(item);
  let value = parseFloatValue(from);
  return Array.from({ length: Number(times ?? 0) + 1 }, (_, index) => {
    if (index > 0) value += Number(by ?? 0);
    return { value, hasHint: false };
  });
}

export function parseFloatValue(text: string): number {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return /^[+-]?nan$/i.test(text) ? NaN : Number(text);
}

function expandHistogram({
  histogram,
  sign,
  step,
  histogramTimes,
}: Record<string, string | undefined>): NotedValue[] {
  const first = parseHistogram(histogram ?? "");
  const added = step === undefined ? null : parseHistogram(step);
  const values: NotedValue[] = [{ value: first, hasHint: (histogram ?? "").includes("counter_reset_hint") }];
  let current = first;
  for (let index = 0; index < Number(histogramTimes ?? 0); index++) {
    if (added !== null) {
      current = addHistograms(current, added, sign === "-" ? -1 : 1);
      current = {
        ...current,
        resetHint: added.resetHint === "unknown" ? current.resetHint : added.resetHint,
      };
    }
    values.push({ value: current, hasHint: (step ?? histogram ?? "").includes("counter_reset_hint") });
  }
  return values;
}

const HINTS: Readonly<Record<string, ResetHint>> = {
  gauge: "gauge",
  reset: "reset",
  not_reset: "not-reset",
  unknown: "unknown",
};

function parseHistogram(text: string): Histogram {
  const fields = new Map<string, string>();
  for (const [, key = "", value = ""] of text.matchAll(/(\w+):(\[[^\]]*\]|\S+)/g)) fields.set(key, value);
  const number = (key: string) => parseFloatValue(fields.get(key) ?? "0");
  const list = (key: string) =>
    (fields.get(key) ?? "[]").slice(1, -1).trim().split(/\s+/).filter(Boolean).map(parseFloatValue);
  const schema = number("schema");
  return {
    schema,
    count: number("count"),
    sum: number("sum"),
    zeroThreshold: number("z_bucket_w"),
    zeroCount: number("z_bucket"),
    positive: buckets(list("buckets"), number("offset")),
    negative: buckets(list("n_buckets"), number("n_offset")),
    customBounds: schema === CUSTOM_BUCKETS_SCHEMA ? list("custom_values") : [],
    resetHint: HINTS[fields.get("counter_reset_hint") ?? "unknown"] ?? "unknown",
  };
}

function buckets(counts: readonly number[], offset: number) {
  if (counts.length === 0) return NO_BUCKETS;
  return {
    indexes: Int32Array.from(counts, (_, index) => offset + index),
    counts: Float64Array.from(counts),
  };
}

/** `5m`, `1m30s` or seconds, in milliseconds. */
export function parseTimeMs(text: string): number {
  return Math.round(parseSeconds(text) * 1000);
}
