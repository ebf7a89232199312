import type { Answer } from "./answer.ts";
import type { Asked } from "./requests.ts";

/** A document of JSON, as far as it matters here. */
type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Fields = { [name: string]: Json };

const SHOWN = 160;
const SHOWN_BEFORE = 60;

/** What an answer is, in a word or two: its status, and which error it tells of. */
export function kindOf({ status, contentType, text }: Answer): string {
  const fields = fieldsOf(contentType, text);
  const errorType = fields?.["errorType"];
  return typeof errorType === "string" ? `${status} ${errorType}` : String(status);
}

/** What the second says that the first does not; null when they agree. */
export function difference(expected: Answer, actual: Answer, by: Asked["by"]): string | null {
  const [wanted, got] = [kindOf(expected), kindOf(actual)];
  if (wanted !== got) return `${got} instead of ${wanted}`;
  // What refuses is told in each one's own words.
  if (expected.status >= 400) return differenceOfRefusals(expected, actual);
  if (expected.contentType !== actual.contentType)
    return `the type ${actual.contentType} instead of ${expected.contentType}`;
  if (expected.encoding !== actual.encoding)
    return `packed with "${actual.encoding}" instead of "${expected.encoding}"`;
  const left = fieldsOf(expected.contentType, expected.text);
  const right = fieldsOf(actual.contentType, actual.text);
  if (left === null || right === null) return unlike(inNumbers(expected.text), inNumbers(actual.text));
  const [data, other] = [left["data"] ?? null, right["data"] ?? null];
  if (by === "shape") return differenceOfShapes(data, other, "data");
  const inOrder = (value: Json) => JSON.stringify(by === "order" ? sorted(value) : unordered(value));
  return unlike(inOrder(data), inOrder(other));
}

function unlike(expected: string, actual: string): string | null {
  if (expected === actual) return null;
  let at = 0;
  while (expected[at] === actual[at]) at += 1;
  const from = Math.max(0, at - SHOWN_BEFORE);
  return `…${actual.slice(from, from + SHOWN)}… instead of …${expected.slice(from, from + SHOWN)}…`;
}

/** Lines of the text format with their values as JavaScript writes them. */
function inNumbers(text: string): string {
  return text.replace(/^([^#].*) (\S+) (\d+)$/gm, (line, series: string, value: string, time: string) => {
    const number = Number(value);
    return Number.isNaN(number) ? line : `${series} ${number} ${time}`;
  });
}

function differenceOfRefusals(expected: Answer, actual: Answer): string | null {
  const names = (each: Answer) =>
    Object.keys(fieldsOf(each.contentType, each.text) ?? {})
      .toSorted()
      .join(" ");
  const [wanted, got] = [names(expected), names(actual)];
  if (wanted === "") return null;
  if (wanted !== got) return `an error with the fields ${got} instead of ${wanted}`;
  return expected.contentType === actual.contentType
    ? null
    : `the type ${actual.contentType} instead of ${expected.contentType}`;
}

/** Fields of the first that the second has not, or of another type; what it has beside them is no harm. */
function differenceOfShapes(expected: Json, actual: Json, place: string): string | null {
  if (typeOf(expected) !== typeOf(actual))
    return `${place} is ${typeOf(actual)} instead of ${typeOf(expected)}`;
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const [one, other] = [expected[0], actual[0]];
    return one === undefined || other === undefined ? null : differenceOfShapes(one, other, `${place}[]`);
  }
  if (!isFields(expected) || !isFields(actual)) return null;
  for (const [name, value] of Object.entries(expected)) {
    const other = actual[name];
    const problem =
      other === undefined
        ? `${place}.${name} is missing`
        : differenceOfShapes(value, other, `${place}.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}

function typeOf(value: Json): string {
  return value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
}

function isFields(value: Json): value is Fields {
  return typeOf(value) === "object";
}

function fieldsOf(contentType: string, text: string): Fields | null {
  if (!/json/.test(contentType) || text === "") return null;
  const value: Json = JSON.parse(text);
  return isFields(value) ? value : null;
}

/** With the fields of objects in order; lists stay as they are. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isFields(value)) return value;
  const fields = Object.entries(value).map(([name, each]) => [name, sorted(each)] as const);
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** With lists of objects in order, too: nothing promises one of series. */
function unordered(value: Json): Json {
  if (Array.isArray(value)) {
    const items = value.map(unordered);
    const keys = new Map(items.map((each) => [each, JSON.stringify(each)]));
    return items.every(isFields)
      ? items.toSorted((a, b) => ((keys.get(a) ?? "") < (keys.get(b) ?? "") ? -1 : 1))
      : items;
  }
  if (!isFields(value)) return value;
  return sorted(Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unordered(each)])));
}
