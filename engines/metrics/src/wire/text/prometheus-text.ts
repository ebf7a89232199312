import { parseMilliseconds, parseValue } from "./number.ts";
import { endOfSeries, skipBlanks, unescape } from "./series-text.ts";
import type { TextSink } from "./sink.ts";
import { TextError } from "./text-error.ts";

const METADATA =
  /^#[ \t]+(TYPE|HELP)[ \t]+(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_:][a-zA-Z0-9_:]*))(?:[ \t]+(.*))?$/;
const TYPES = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);
const HASH = 0x23;

/**
 * Reads Prometheus' text format (versions 0.0.4 and 1.0.0). Throws TextError at the first line that is none;
 * what stood before it has been handed on by then.
 */
export function parsePrometheusText(text: string, sink: TextSink): void {
  let line = 0;
  for (let from = 0; from < text.length;) {
    line += 1;
    const newline = text.indexOf("\n", from);
    const end = newline === -1 ? text.length : newline;
    // Some write line ends as DOS does.
    const lineEnd = text.charCodeAt(end - 1) === 0x0d && end > from ? end - 1 : end;
    const start = skipBlanks(text, from, lineEnd);
    if (start === lineEnd) {
      from = end + 1;
      continue;
    }
    if (text.charCodeAt(start) === HASH) readComment(text.slice(start, lineEnd), sink, line);
    else readSample(text, { start, lineEnd }, { sink, line });
    from = end + 1;
  }
}

/** Comments that are neither TYPE nor HELP mean nothing. */
function readComment(comment: string, sink: TextSink, line: number): void {
  const match = METADATA.exec(comment);
  if (match === null) return;
  const [, keyword, quoted, plain = "", rest = ""] = match;
  const metric = quoted === undefined ? plain : unescape(quoted);
  if (keyword === "HELP") return sink.metadata({ metric, kind: "help", text: unescape(rest), line });
  const type = rest.trim();
  if (!TYPES.has(type)) throw new TextError(line, `"${type}" is no type of a metric`);
  sink.metadata({ metric, kind: "type", text: type === "untyped" ? "unknown" : type, line });
}

function readSample(
  text: string,
  { start, lineEnd }: { start: number; lineEnd: number },
  { sink, line }: { sink: TextSink; line: number },
): void {
  const end = endOfSeries(text, start, lineEnd);
  if (end === -1) throw new TextError(line, "a brace or a quotation mark is not closed");
  const valueAt = skipBlanks(text, end, lineEnd);
  const valueEnd = endOfWord(text, valueAt, lineEnd);
  const word = text.slice(valueAt, valueEnd);
  const value = parseValue(word);
  if (value === null) throw new TextError(line, word === "" ? "no value" : `"${word}" is no value`);
  const timestampAt = skipBlanks(text, valueEnd, lineEnd);
  const timestampEnd = endOfWord(text, timestampAt, lineEnd);
  if (skipBlanks(text, timestampEnd, lineEnd) !== lineEnd) {
    throw new TextError(line, "more than a name, a value and a time");
  }
  const timestampMs =
    timestampAt === lineEnd ? null : readTimestamp(text.slice(timestampAt, timestampEnd), line);
  sink.sample({ series: text.slice(start, end), value, timestampMs, exemplar: null, line });
}

function readTimestamp(word: string, line: number): number {
  const timestampMs = parseMilliseconds(word);
  if (timestampMs === null) throw new TextError(line, `"${word}" is no time in milliseconds`);
  return timestampMs;
}

function endOfWord(text: string, from: number, lineEnd: number): number {
  let index = from;
  while (index < lineEnd && text.charCodeAt(index) > 0x20) index++;
  return index;
}
