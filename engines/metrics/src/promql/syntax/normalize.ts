import { ParseError } from "./parse-error.ts";
import { SIGNATURES } from "./signatures.ts";

/** One token of a query, as far as it matters here: what may contain other characters first. */
const TOKEN = new RegExp(
  [
    /(?<skip>#[^\n]*|"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|`[^`]*`)/,
    /(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)/,
    /(?<point>[0-9]+\.(?![0-9]))/,
    /(?<number>[0-9.][0-9a-zA-Z_.]*)/,
    /(?<other>[=!<>]=|[^])/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "avg bottomk count count_values group max min quantile limitk limit_ratio stddev stdvar sum topk by without on " +
    "ignoring group_left group_right bool and or unless atan2 offset fill fill_left fill_right anchored smoothed"
  ).split(" "),
);

/** Each operator is a step down the tree; many more than this the grammar cannot hold. */
const MAX_OPERATORS = 200;
const OPERATOR = /^(?:[-+*/%^]|[<>]|[=!<>]=|and|or|unless|atan2)$/i;

/**
 * A function that the grammar knows, takes any arguments and has six letters as `min_of` and `max_of` have.
 */
const STAND_IN = "minute";
const DURATION_FUNCTIONS: ReadonlySet<string> = new Set(["step", "range", "min_of", "max_of"]);

/**
 * The query with everything that the grammar of lezer-promql reads otherwise than
 * Prometheus put into other words of the same length, so that positions hold: numbers that
 * end in a point, functions of durations in capitals, and `min_of` and `max_of` outside of
 * durations. Unknown functions are told here, for the grammar has no word for them.
 */
export function normalize(query: string): string {
  let text = "";
  let brackets = 0;
  let offset: Offset | null = null;
  let braces = 0;
  let operators = 0;
  for (const found of query.matchAll(TOKEN)) {
    const [token] = found;
    const { name, point, other } = found.groups ?? {};
    const isDuration = brackets > 0 || offset !== null;
    if (braces === 0 && OPERATOR.test(token)) operators += 1;
    if (operators > MAX_OPERATORS) {
      const position = { start: found.index, end: found.index + token.length };
      throw new ParseError(query, position, `more than ${MAX_OPERATORS} operators in one query`);
    }
    if (point !== undefined) text += `0${point.slice(0, -1)}`;
    else if (name !== undefined) text += normalizeName(query, { name, at: found.index, isDuration });
    else text += token;
    if (other === "[") brackets += 1;
    if (other === "]") brackets -= 1;
    if (other === "{") braces += 1;
    if (other === "}") braces -= 1;
    offset = name?.toLowerCase() === "offset" ? { parentheses: 0 } : offset && afterToken(offset, token);
  }
  return text;
}

/** The duration behind `offset`, as far as it is read. */
interface Offset {
  parentheses: number;
}

/** Null: the duration ends with the token, or before it. */
function afterToken({ parentheses }: Offset, token: string): Offset | null {
  if (token === "(") return { parentheses: parentheses + 1 };
  if (token === ")") return parentheses > 1 ? { parentheses: parentheses - 1 } : null;
  const goesOn = parentheses > 0 || /^[\s+-]$/.test(token) || DURATION_FUNCTIONS.has(token.toLowerCase());
  return goesOn ? { parentheses } : null;
}

interface Name {
  name: string;
  at: number;
  isDuration: boolean;
}

function normalizeName(query: string, { name, at, isDuration }: Name): string {
  // The colon of a subquery: no metric stands in brackets.
  if (isDuration && name.startsWith(":"))
    return `:${normalizeName(query, { name: name.slice(1), at: at + 1, isDuration })}`;
  const isCalled = /^\s*\(/.test(query.slice(at + name.length, at + name.length + 64));
  const lower = name.toLowerCase();
  if (!isCalled || name === "") return name;
  if (isDuration && DURATION_FUNCTIONS.has(lower)) return lower;
  if (KEYWORDS.has(lower) || lower === "start" || lower === "end") return name;
  if (!SIGNATURES.has(name)) {
    const position = { start: at, end: at + name.length };
    throw new ParseError(query, position, `unknown function with name "${name}"`);
  }
  return name === "min_of" || name === "max_of" ? STAND_IN : name;
}
