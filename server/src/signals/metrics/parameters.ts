import { parseDurationMs } from "@mainstay/metrics/model";
import { ApiError, invalidParameter } from "./api-error.ts";

/** What was asked, of the address and of a form in the body; the body's come first. */
export interface Parameters {
  /** The first of that name; empty when there is none. */
  text(name: string): string;
  all(name: string): string[];
}

/** Reads what the address and a form hold. */
export function readParameters(search: string, form: string): Parameters {
  const parts = [new URLSearchParams(form), new URLSearchParams(search)];
  const all = (name: string) => parts.flatMap((part) => part.getAll(name));
  return { all, text: (name) => all(name)[0] ?? "" };
}

const MS_PER_SECOND = 1000;
const RFC_3339 = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** As far as a Date goes: before and after everything. */
export const EVER_MS = 8.64e15;
/** How clients of Prometheus that are written in Go say the first and the last moment of all. */
const ENDS_MS: ReadonlyMap<string, number> = new Map([
  ["-292273086-05-16T16:47:06Z", -EVER_MS],
  ["292277025-08-18T07:12:54.999999999Z", EVER_MS],
]);

/** A moment: seconds since 1970, or RFC 3339. */
export function readTimeMs(parameters: Parameters, name: string, otherwiseMs: number): number {
  const text = parameters.text(name);
  if (text === "") return otherwiseMs;
  const timeMs = NUMBER.test(text) ? Math.round(Number(text) * MS_PER_SECOND) : parseDate(text);
  if (Number.isSafeInteger(timeMs)) return timeMs;
  throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
}

function parseDate(text: string): number {
  const day = RFC_3339.exec(text)?.[1];
  if (day === undefined) return ENDS_MS.get(text) ?? NaN;
  const dayMs = Date.parse(day);
  // The 30th of February would be taken for a day of March.
  const isDay = !Number.isNaN(dayMs) && new Date(dayMs).toISOString().startsWith(day);
  return isDay ? Date.parse(text.replace(/(\.\d{3})\d+/, "$1")) : NaN;
}

/** A length of time: seconds, or with units as in 1h30m. Null when it is not said. */
export function readDurationMs(parameters: Parameters, name: string): number | null {
  const text = parameters.text(name);
  if (text === "") return null;
  const durationMs = NUMBER.test(text) ? Math.round(Number(text) * MS_PER_SECOND) : parseDurationMs(text);
  if (durationMs !== null && Number.isSafeInteger(durationMs)) return durationMs;
  throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
}

/** The most items of an answer; Infinity for 0 and when it is not said. */
export function readLimit(parameters: Parameters, name = "limit"): number {
  const text = parameters.text(name);
  if (text === "") return Infinity;
  const limit = wholeOf(text);
  if (limit === null) throw invalidParameter(name, `${JSON.stringify(text)} is no whole number`);
  if (limit < 0) throw invalidParameter(name, "limit must be non-negative");
  return limit === 0 ? Infinity : limit;
}

/** A whole number of at least 1, or what stands in for it. */
export function readCount(parameters: Parameters, name: string, otherwise: number): number {
  const text = parameters.text(name);
  if (text === "") return otherwise;
  const count = wholeOf(text);
  if (count !== null && count > 0) return count;
  throw new ApiError("bad_data", `${name} must be a positive number`);
}

/** The most items of an answer, where 0 means none; Infinity for what is negative and when it is not said. */
export function readMost(parameters: Parameters, name: string): number {
  const text = parameters.text(name);
  if (text === "") return Infinity;
  const most = wholeOf(text);
  if (most === null) throw new ApiError("bad_data", `${name} must be a number`);
  return most < 0 ? Infinity : most;
}

const YES = ["1", "t", "true"];
const NO = ["", "0", "f", "false"];

/** Yes or no; no when it is not said. */
export function readTruth(parameters: Parameters, name: string): boolean {
  const text = parameters.text(name);
  const isYes = YES.includes(text.toLowerCase());
  if (isYes || NO.includes(text.toLowerCase())) return isYes;
  throw invalidParameter(name, `${JSON.stringify(text)} is neither true nor false`);
}

function wholeOf(text: string): number | null {
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}
