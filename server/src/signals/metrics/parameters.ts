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
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** A moment: seconds since 1970, or RFC 3339. */
export function readTimeMs(parameters: Parameters, name: string, otherwiseMs: number): number {
  const text = parameters.text(name);
  if (text === "") return otherwiseMs;
  const timeMs = NUMBER.test(text) ? Math.round(Number(text) * MS_PER_SECOND) : parseDate(text);
  if (Number.isSafeInteger(timeMs)) return timeMs;
  throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid timestamp`);
}

function parseDate(text: string): number {
  return RFC_3339.test(text) ? Date.parse(text.replace(/(\.\d{3})\d+/, "$1")) : NaN;
}

const UNITS_MS = {
  y: 31_536_000_000,
  w: 604_800_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** A length of time: seconds, or with units as in 1h30m. Null when it is not said. */
export function readDurationMs(parameters: Parameters, name: string): number | null {
  const text = parameters.text(name);
  if (text === "") return null;
  const durationMs = NUMBER.test(text) ? Math.round(Number(text) * MS_PER_SECOND) : parseDuration(text);
  if (Number.isSafeInteger(durationMs)) return durationMs;
  throw invalidParameter(name, `cannot parse ${JSON.stringify(text)} to a valid duration`);
}

function parseDuration(text: string): number {
  const counts = DURATION.exec(text)?.slice(1);
  if (counts === undefined || counts.every((each) => each === undefined)) return NaN;
  return Object.values(UNITS_MS).reduce((sum, unitMs, index) => sum + unitMs * Number(counts[index] ?? 0), 0);
}

/** The most items of an answer; Infinity for 0 and when it is not said. */
export function readLimit(parameters: Parameters, name = "limit"): number {
  const text = parameters.text(name);
  if (text === "") return Infinity;
  const limit = Number(text);
  if (!/^[+-]?\d+$/.test(text)) throw invalidParameter(name, `${JSON.stringify(text)} is no whole number`);
  if (limit < 0) throw invalidParameter(name, "limit must be non-negative");
  return limit === 0 ? Infinity : limit;
}

/** A whole number of at least 1, or what stands in for it. */
export function readCount(parameters: Parameters, name: string, otherwise: number): number {
  const text = parameters.text(name);
  if (text === "") return otherwise;
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
  throw new ApiError("bad_data", `${name} must be a positive number`);
}
