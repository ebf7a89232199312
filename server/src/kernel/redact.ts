/** What a masked secret looks like, wherever it is shown. */
export const MASK = "***";

const SECRET_NAME =
  /authorization|cookie|passw(or)?d|passphrase|secret|token|credential|privatekey|apikey|(keys?|dsn|auth|pwd)$/;
/** An attribute of a secret is not the secret: tokenId, secret_names, KEY_FILE. */
const ATTRIBUTES = new Set(
  "id ids name names count file path directory at ms bytes length kind type state".split(" "),
);

/** Whether a field, header, variable or column of this name holds something that must not be shown. */
export function isSecretName(name: string): boolean {
  const words = name.split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/).map((word) => word.toLowerCase());
  const lastWord = words.at(-1) ?? "";
  const isPublic = words.length > 1 && (ATTRIBUTES.has(lastWord) || words.at(-2) === "public");
  return SECRET_NAME.test(words.join("")) && !isPublic;
}

interface SecretText {
  /**
   * What the text must contain for the pattern to be tried: most lines are cleared by looking for these
   * alone.
   */
  hint: string;
  pattern: RegExp;
  replacement: string;
}

const SECRET_TEXTS: SecretText[] = [
  {
    // the password of a URL: scheme://user:password@host
    hint: "://",
    pattern: /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#@]{0,200}):[^\s/?#]+@/gi,
    replacement: `$1:${MASK}@`,
  },
  {
    // ?token=… of a URL, password='…' of a libpq connection string
    hint: "=",
    pattern: /((?:passw(?:or)?d|secret|token|api_?key|signature)=)(?:'[^']*'|[^\s&'"]+)/gi,
    replacement: `$1${MASK}`,
  },
  { hint: " ", pattern: /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, replacement: `$1 ${MASK}` },
  // our own API keys: the id is public, the rest is not
  { hint: "mk_", pattern: /\b(mk_[A-Za-z0-9]{8})_[A-Za-z0-9]+/g, replacement: `$1_${MASK}` },
  // tokens of people: sessions, links, challenges, devices
  ...["ms_", "ml_", "mc_", "md_"].map((hint) => ({
    hint,
    pattern: new RegExp(`\\b${hint}[\\w-]{43}`, "g"),
    replacement: `${hint}${MASK}`,
  })),
  {
    hint: "PRIVATE KEY",
    pattern: /-----BEGIN ([A-Z ]{0,30}PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g,
    replacement: `-----BEGIN $1----- ${MASK}`,
  },
];

/** The text with everything that is recognisably a secret replaced. */
export function maskSecrets(text: string): string {
  let masked = text;
  for (const { hint, pattern, replacement } of SECRET_TEXTS) {
    if (masked.includes(hint)) masked = masked.replace(pattern, replacement);
  }
  return masked;
}

const DEPTH_LIMIT = 8;
const ITEMS_LIMIT = 100;
const VALUES_LIMIT = 1_000;
const TEXT_LIMIT = 8_192;

/** Any value as plain JSON to log: secrets masked, errors with their causes, depth and size limited. */
export function cleanForLog(value: unknown): unknown {
  return cleanValue(value, { depth: 0, budget: { values: VALUES_LIMIT } });
}

interface Place {
  depth: number;
  /** Shared by the whole walk: what refers to itself many times over must not grow without end. */
  budget: { values: number };
}

function cleanValue(value: unknown, place: Place): unknown {
  place.budget.values -= 1;
  switch (typeof value) {
    case "string":
      return cleanText(value);
    case "bigint":
    case "symbol":
      return String(value);
    case "function":
      return `[function ${value.name}]`;
    case "object":
      return value === null ? null : cleanObject(value, place);
    default:
      return value;
  }
}

function cleanText(text: string): string {
  const masked = maskSecrets(text.slice(0, TEXT_LIMIT));
  return text.length > TEXT_LIMIT ? `${masked}… (${text.length - TEXT_LIMIT} more characters)` : masked;
}

function cleanObject(value: object, place: Place): unknown {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (value instanceof URL) return maskSecrets(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (place.depth >= DEPTH_LIMIT || place.budget.values <= 0) return "[left out]";
  const inside = { ...place, depth: place.depth + 1 };
  if (value instanceof Error) return cleanError(value, inside);
  if (Array.isArray(value)) return cleanList(value, inside);
  if (value instanceof Set) return cleanList([...value], inside);
  return cleanFields(value instanceof Map ? [...value] : Object.entries(value), inside);
}

function cleanList(items: unknown[], place: Place): unknown[] {
  const cleaned = items.slice(0, ITEMS_LIMIT).map((item) => cleanValue(item, place));
  return items.length > ITEMS_LIMIT ? [...cleaned, `${items.length - ITEMS_LIMIT} more`] : cleaned;
}

function cleanFields(entries: [unknown, unknown][], place: Place): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {};
  for (const [key, value] of entries.slice(0, ITEMS_LIMIT)) {
    const name = String(key);
    cleaned[name] = isSecretName(name) && holdsSomething(value) ? MASK : cleanValue(value, place);
  }
  if (entries.length > ITEMS_LIMIT) cleaned["…"] = `${entries.length - ITEMS_LIMIT} more`;
  return cleaned;
}

/** Masking "nothing" or "yes" would hide what somebody wants to know and protect nobody. */
function holdsSomething(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && typeof value !== "boolean";
}

function cleanError(error: Error, place: Place): Record<string, unknown> {
  return {
    type: error.name,
    message: cleanText(error.message),
    ...cleanFields(Object.entries(error), place),
    ...(error.stack === undefined ? {} : { stack: cleanText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: cleanValue(error.cause, place) }),
    ...(error instanceof AggregateError ? { errors: cleanList(error.errors, place) } : {}),
  };
}
