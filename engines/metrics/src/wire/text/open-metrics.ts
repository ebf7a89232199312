import { parseSeconds, parseValue } from "./number.ts";
import { endOfBraces, endOfSeries, parseLabels, unescape } from "./series-text.ts";
import type { MetricType, TextExemplar, TextSink } from "./sink.ts";
import { TextError } from "./text-error.ts";

const METADATA = /^# (TYPE|HELP|UNIT) (?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_:][a-zA-Z0-9_:]*)) (.*)$/s;
const TYPES: readonly MetricType[] = [
  ...(["counter", "gauge", "histogram", "gaugehistogram"] as const),
  ...(["summary", "stateset", "info", "unknown"] as const),
];
/** Counted in code points, names and values together. */
const EXEMPLAR_LIMIT = 128;
const END = "# EOF";
const MS_PER_SECOND = 1000;

/**
 * Reads the text format of OpenMetrics 1.0: the grammar of lines, not the rules of metric families
 * (families.ts). Throws TextError at the first line that is wrong; what stood before it has been handed on
 * by then.
 */
export function parseOpenMetrics(text: string, sink: TextSink): void {
  let line = 0;
  for (let from = 0; ;) {
    line += 1;
    const newline = text.indexOf("\n", from);
    const end = newline === -1 ? text.length : newline;
    if (end - from === END.length && text.startsWith(END, from)) {
      if (newline !== -1 && newline + 1 < text.length) throw new TextError(line + 1, `text behind "${END}"`);
      return;
    }
    if (newline === -1) throw new TextError(line, `the last line is not "${END}": the text is cut off`);
    if (end === from) throw new TextError(line, "the line is empty");
    if (text[from] === "#") readMetadata(text.slice(from, end), sink, line);
    else readSample(text, { from, end }, { sink, line });
    from = end + 1;
  }
}

function readMetadata(comment: string, sink: TextSink, line: number): void {
  const match = METADATA.exec(comment);
  if (match === null) {
    throw new TextError(line, `neither a sample nor "# TYPE", "# HELP" or "# UNIT", a name and a text`);
  }
  const [, keyword, quoted, plain = "", rest = ""] = match;
  const metric = quoted === undefined ? plain : unescape(quoted);
  if (keyword === "HELP") return sink.metadata({ metric, kind: "help", text: unescape(rest), line });
  if (keyword === "UNIT") {
    if (/\s/.test(rest)) throw new TextError(line, `"${rest}" is no unit`);
    return sink.metadata({ metric, kind: "unit", text: rest, line });
  }
  if (!TYPES.some((type) => type === rest)) throw new TextError(line, `"${rest}" is no type of a metric`);
  sink.metadata({ metric, kind: "type", text: rest, line });
}

interface Range {
  from: number;
  end: number;
}

interface Place {
  sink: TextSink;
  line: number;
}

/** name{labels} value[ seconds][ # {labels} value[ seconds]], with exactly one space between. */
function readSample(text: string, { from, end }: Range, { sink, line }: Place): void {
  const seriesEnd = endOfSeries(text, from, end);
  if (seriesEnd === -1) throw new TextError(line, "a brace or a quotation mark is not closed");
  const series = text.slice(from, seriesEnd);
  const { word, wordEnd } = readWord(text, { from: seriesEnd, end }, line);
  const value = parseValue(word);
  if (value === null) throw new TextError(line, `"${word}" is no value`);
  if (wordEnd === end) return sink.sample({ series, value, timestampMs: null, exemplar: null, line });

  const isExemplarNext = text.startsWith(" # ", wordEnd);
  const time = isExemplarNext ? null : readWord(text, { from: wordEnd, end }, line);
  const timestampMs = time === null ? null : secondsOf(time.word, line);
  const rest = time?.wordEnd ?? wordEnd;
  const exemplar = rest === end ? null : readExemplar(text, { from: rest, end }, line);
  sink.sample({ series, value, timestampMs, exemplar, line });
}

function readExemplar(text: string, { from, end }: Range, line: number): TextExemplar {
  if (!text.startsWith(" # {", from)) throw new TextError(line, `no exemplar: " # {" is missing`);
  const open = from + " # ".length;
  const close = endOfBraces(text, open, end);
  if (close === -1) throw new TextError(line, "the labels of the exemplar are not closed");
  const labels = parseLabels(text.slice(open, close), { isLoose: false }, line);
  const length = labels.flat().reduce((sum, part) => sum + Array.from(part).length, 0);
  if (length > EXEMPLAR_LIMIT) {
    throw new TextError(
      line,
      `the labels of the exemplar have ${length} characters, more than ${EXEMPLAR_LIMIT}`,
    );
  }
  const { word, wordEnd } = readWord(text, { from: close, end }, line);
  const value = parseValue(word);
  if (value === null) throw new TextError(line, `"${word}" is no value of an exemplar`);
  if (wordEnd === end) return { labels, value, timestampMs: null };
  const time = readWord(text, { from: wordEnd, end }, line);
  if (time.wordEnd !== end) throw new TextError(line, "something stands behind the exemplar");
  return { labels, value, timestampMs: secondsOf(time.word, line) };
}

/** The word behind the one space at `from`. */
function readWord(text: string, { from, end }: Range, line: number): { word: string; wordEnd: number } {
  if (from >= end) throw new TextError(line, "no value");
  if (text[from] !== " ") throw new TextError(line, "a space is missing before the value");
  const next = text.indexOf(" ", from + 1);
  const wordEnd = next === -1 || next > end ? end : next;
  return { word: text.slice(from + 1, wordEnd), wordEnd };
}

function secondsOf(word: string, line: number): number {
  const seconds = parseSeconds(word);
  if (seconds === null) throw new TextError(line, `"${word}" is no time in seconds`);
  return seconds * MS_PER_SECOND;
}
