import { TextError } from "./text-error.ts";

/** Name of the label that holds a metric's name. */
const NAME_LABEL = "__name__";
const METRIC_NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL_NAME = /[a-zA-Z_][a-zA-Z0-9_]*/y;

export type LabelPair = readonly [name: string, value: string];

export interface SeriesName {
  metric: string;
  /** As written, without the metric's name. */
  labels: LabelPair[];
}

/** Where the formats differ about what stands between braces. */
export interface SeriesRules {
  /** Blanks around tokens, and a comma before the closing brace. */
  isLoose: boolean;
}

/**
 * Index behind the name and labels that begin at `from`, whatever stands in quotes; -1 when they do not
 * end.
 */
export function endOfSeries(text: string, from: number, lineEnd: number): number {
  for (let index = from; index < lineEnd; index++) {
    const code = text.charCodeAt(index);
    if (code === SPACE || code === TAB) {
      // The older format lets blanks stand before the brace.
      const next = skipBlanks(text, index, lineEnd);
      if (text.charCodeAt(next) !== OPEN) return index;
      return endOfBraces(text, next, lineEnd);
    }
    if (code === OPEN) return endOfBraces(text, index, lineEnd);
  }
  return lineEnd;
}

const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Index behind the brace that closes the one at `open`; -1 when none does. */
export function endOfBraces(text: string, open: number, lineEnd: number): number {
  let isQuoted = false;
  for (let index = open + 1; index < lineEnd; index++) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (code === BACKSLASH && isQuoted) index++;
    else if (code === CLOSE && !isQuoted) return index + 1;
  }
  return -1;
}

export function skipBlanks(text: string, from: number, lineEnd: number): number {
  let index = from;
  while (index < lineEnd && (text.charCodeAt(index) === SPACE || text.charCodeAt(index) === TAB)) index++;
  return index;
}

/**
 * Takes a name with its labels apart: `name{a="b"}`, or `{"name in UTF-8","label in UTF-8"="b"}`.
 * Throws TextError that says what is wrong with it.
 */
export function parseSeriesText(series: string, { isLoose }: SeriesRules, line: number): SeriesName {
  const open = series.indexOf("{");
  const written = open === -1 ? series : series.slice(0, open);
  const metric = isLoose ? written.trimEnd() : written;
  if (metric !== "" && matchAt(METRIC_NAME, metric, 0) !== metric) {
    throw new TextError(line, `"${metric}" is no name of a metric`);
  }
  const labels = open === -1 ? [] : parseLabels(series.slice(open), { isLoose }, line);
  const quoted = labels.find(([name]) => name === NAME_LABEL);
  if (metric === "" && quoted === undefined) throw new TextError(line, "the metric has no name");
  if (metric !== "" && quoted !== undefined) throw new TextError(line, "the metric has two names");
  return {
    metric: quoted?.[1] ?? metric,
    labels: quoted === undefined ? labels : labels.filter((label) => label !== quoted),
  };
}

/** Labels in braces. A name alone in quotes is the metric's, and is answered as the label `__name__`. */
export function parseLabels(braces: string, { isLoose }: SeriesRules, line: number): LabelPair[] {
  const labels: LabelPair[] = [];
  const seen = new Set<string>();
  const blank = (from: number) => (isLoose ? skipBlanks(braces, from, braces.length) : from);
  let at = blank(1);
  while (braces[at] !== "}") {
    const { label, end } = parseLabel(braces, { at, blank }, line);
    if (seen.has(label[0])) throw new TextError(line, `the label ${label[0]} stands there twice`);
    seen.add(label[0]);
    labels.push(label);
    at = blank(end);
    if (braces[at] === "}") break;
    if (braces[at] !== ",") throw new TextError(line, `a comma is missing after the label ${label[0]}`);
    at = blank(at + 1);
    if (braces[at] === "}" && !isLoose) throw new TextError(line, "a comma stands before the closing brace");
  }
  if (at !== braces.length - 1) throw new TextError(line, "something stands behind the closing brace");
  return labels;
}

function parseLabel(
  braces: string,
  { at: from, blank }: { at: number; blank: (from: number) => number },
  line: number,
): { label: LabelPair; end: number } {
  const isQuoted = braces[from] === '"';
  const name = isQuoted ? readQuoted(braces, from, line) : readName(braces, from, line);
  const at = blank(name.end);
  if (isQuoted && (braces[at] === "," || braces[at] === "}")) {
    return { label: [NAME_LABEL, name.text], end: at };
  }
  if (braces[at] !== "=") throw new TextError(line, `the label ${name.text} has no "="`);
  if (name.text === "") throw new TextError(line, "a label has an empty name");
  const valueAt = blank(at + 1);
  if (braces[valueAt] !== '"') throw new TextError(line, `the value of the label ${name.text} is not quoted`);
  const value = readQuoted(braces, valueAt, line);
  return { label: [name.text, value.text], end: value.end };
}

function readName(braces: string, from: number, line: number): { text: string; end: number } {
  const text = matchAt(LABEL_NAME, braces, from);
  if (text === null) throw new TextError(line, `no name of a label begins with "${braces[from] ?? ""}"`);
  return { text, end: from + text.length };
}

/** The escapes are \\, \" and \n; any other backslash stands for itself. */
function readQuoted(braces: string, from: number, line: number): { text: string; end: number } {
  let index = from + 1;
  while (index < braces.length && braces[index] !== '"') index += braces[index] === "\\" ? 2 : 1;
  if (index >= braces.length) throw new TextError(line, "a quotation mark is not closed");
  const raw = braces.slice(from + 1, index);
  return { text: raw.includes("\\") ? unescape(raw) : raw, end: index + 1 };
}

/** What a backslash and the character behind it stand for. */
export function unescape(raw: string): string {
  return raw.replaceAll(/\\([\\"n])/g, (_, character: string) => (character === "n" ? "\n" : character));
}

/** What the sticky pattern finds at an index, or null. */
function matchAt(pattern: RegExp, text: string, index: number): string | null {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0] ?? null;
}
