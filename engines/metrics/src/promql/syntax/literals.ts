const UNIT_MS: readonly (readonly [string, number])[] = [
  ["y", 31_536_000_000],
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** Milliseconds of `1h30m`, or null when the text is no duration. Units come in falling order, each once. */
export function parseDurationMs(text: string): number | null {
  const found = DURATION.exec(text);
  if (found === null || text === "") return null;
  let totalMs = 0;
  for (const [index, [, unitMs]] of UNIT_MS.entries()) totalMs += Number(found[index + 1] ?? 0) * unitMs;
  return totalMs;
}

/** The shortest text for a duration; what is no whole number of milliseconds is cut off. */
export function formatDurationMs(durationMs: number): string {
  let rest = Math.trunc(durationMs);
  if (rest === 0) return "0s";
  let text = "";
  for (const [unit, unitMs] of UNIT_MS) {
    // Years and weeks only when nothing is left over: "365d" and "8d" read better than "1y" and "1w1d".
    const isWhole = rest % unitMs === 0;
    if ((unit === "y" || unit === "w") && !isWhole) continue;
    const times = Math.floor(rest / unitMs);
    if (times > 0) text += `${times}${unit}`;
    rest -= times * unitMs;
  }
  return text;
}

/** A literal as Go reads it: hexadecimal, octal with a leading 0, underscores, Inf and NaN in any case. */
export function parseNumber(text: string): number | null {
  const plain = text.toLowerCase();
  if (plain === "inf") return Infinity;
  if (plain === "nan") return NaN;
  const digits = plain.replaceAll("_", "");
  if (/^0x[0-9a-f]+$/.test(digits)) return Number(digits);
  if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
  if (!/^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(digits)) return null;
  // What no double holds is no number, rather than infinity.
  return Number.isFinite(Number(digits)) ? Number(digits) : null;
}

const SIMPLE_ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
  "'": 39,
  '"': 34,
};

/** A string literal without its quotes, or null when an escape is wrong. Go's rules; backquotes are raw. */
export function unquote(literal: string): string | null {
  const mark = literal[0];
  const body = literal.slice(1, -1);
  if (literal.length < 2 || literal.at(-1) !== mark) return null;
  if (mark === "`") return body;
  if (body.includes("\n")) return null;
  return body.includes("\\") ? unescape(body, mark ?? "") : body;
}

function unescape(body: string, mark: string): string | null {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let at = 0; at < body.length;) {
    const char = String.fromCodePoint(body.codePointAt(at) ?? 0);
    if (char !== "\\") {
      bytes.push(...encoder.encode(char));
      at += char.length;
      continue;
    }
    const escape = readEscape(body, { at: at + 1, mark });
    if (escape === null) return null;
    bytes.push(...escape.bytes);
    at = escape.next;
  }
  return fromBytes(Uint8Array.from(bytes));
}

const NUMERIC_ESCAPE = /x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}/y;

function readEscape(
  body: string,
  { at, mark }: { at: number; mark: string },
): { bytes: Iterable<number>; next: number } | null {
  const letter = body[at] ?? "";
  const simple = SIMPLE_ESCAPES[letter];
  const isOtherQuote = (letter === "'" || letter === '"') && letter !== mark;
  if (simple !== undefined && !isOtherQuote) return { bytes: [simple], next: at + 1 };
  NUMERIC_ESCAPE.lastIndex = at;
  const [found] = NUMERIC_ESCAPE.exec(body) ?? [];
  if (found === undefined) return null;
  const next = at + found.length;
  if (/^[0-7]/.test(found)) return byteEscape(Number.parseInt(found, 8), next);
  const code = Number.parseInt(found.slice(1), 16);
  if (found.startsWith("x")) return byteEscape(code, next);
  if (code > 0x10_ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
  return { bytes: new TextEncoder().encode(String.fromCodePoint(code)), next };
}

function byteEscape(byte: number, next: number) {
  return byte > 255 ? null : { bytes: [byte], next };
}

/** Bytes that are no UTF-8 become lone surrogates U+DC80 to U+DCFF, which no well-formed text contains. */
function fromBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte)).join("");
  }
}

/** Whether a name may be one: not empty, and UTF-8. */
export function isValidLabelName(name: string): boolean {
  return name !== "" && name.isWellFormed();
}

/** The short escapes of Go's strconv.Quote. */
const QUOTED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** Between double quotes, as Go's %q. */
export function quote(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const short = QUOTED[char];
    if (short !== undefined) quoted += short;
    else if (code < 0x20 || code === 0x7f) quoted += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code >= 0xdc80 && code <= 0xdcff) quoted += `\\x${(code - 0xdc00).toString(16)}`;
    else quoted += char;
  }
  return `${quoted}"`;
}
