import type { Labels } from "@mainstay/metrics";
import { parseSeconds } from "@mainstay/metrics/testing";
import { parseSeries } from "./series-notation.ts";

/** When the values of the next line began, relative to the time of each; null where nothing is known. */
export interface NotedStarts {
  labels: Labels;
  offsetsMs: (number | null)[];
}

const START_LINE = /^(\S+)@st\s+(.+)$/;
const ITEM = /^(?:_(?:x(?<none>\d+))?|(?<from>[+-]?[\da-wyz]+)(?:(?<by>[+-][\da-wyz]+)?x(?<times>\d+))?)$/;

/** `metric{a="b"}@st -1m _x2 -30s+5sx3`: null for any other line. */
export function parseStarts(line: string): NotedStarts | null {
  const [, series, items = ""] = START_LINE.exec(line) ?? [];
  if (series === undefined) return null;
  return { labels: parseSeries(`${series} _`).labels, offsetsMs: items.trim().split(/\s+/).flatMap(expand) };
}

function expand(item: string): (number | null)[] {
  const groups = ITEM.exec(item)?.groups;
  if (groups === undefined) throw new Error(`no start of a value: ${item}`);
  const { none, from, by, times } = groups;
  if (from === undefined) return Array.from({ length: Number(none ?? 1) }, () => null);
  const [firstMs, stepMs] = [signedMs(from), by === undefined ? 0 : signedMs(by)];
  return Array.from({ length: Number(times ?? 0) + 1 }, (_, index) => firstMs + index * stepMs);
}

function signedMs(text: string): number {
  const sizeMs = Math.round(parseSeconds(text.replace(/^[+-]/, "")) * 1000);
  return text.startsWith("-") ? -sizeMs : sizeMs;
}
