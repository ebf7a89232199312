import { RE2JS } from "re2js";

/** What has a meaning in a regular expression; text without it is literal. */
const SPECIAL = /[\\^$.|?*+()[\]{}]/;

/** A pattern is compiled into an automaton of this many states at most, or is refused. */
const MAX_PATTERN_LENGTH = 16 * 1024;

/**
 * A test of whole values against a regular expression of RE2, in linear time
 * whatever the pattern. Patterns that are made of literals alone never reach an
 * automaton: alternatives become a set, `.*` and `.+` at an end a comparison.
 */
export function compileRegex(pattern: string): (text: string) => boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new SyntaxError(
      `a regular expression of ${pattern.length} characters, at most ${MAX_PATTERN_LENGTH}`,
    );
  }
  return compileLiterals(pattern) ?? compileEnds(pattern) ?? compileAutomaton(pattern);
}

/** Why a pattern is none, or null. */
export function regexProblem(pattern: string): string | null {
  try {
    // First as it is: what the message quotes is then what was written.
    if (SPECIAL.test(pattern) && pattern.length <= MAX_PATTERN_LENGTH) RE2JS.compile(pattern);
    compileRegex(pattern);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** `a|b|c` */
function compileLiterals(pattern: string): ((text: string) => boolean) | null {
  const alternatives = pattern.split("|");
  if (alternatives.some((each) => SPECIAL.test(each))) return null;
  const [only] = alternatives;
  if (alternatives.length === 1) return (text) => text === only;
  const set = new Set(alternatives);
  return (text) => set.has(text);
}

/**
 * `.*`, `.+`, and a literal with one of them at one end or both. A point matches newlines, as in Prometheus.
 */
function compileEnds(pattern: string): ((text: string) => boolean) | null {
  const before = wildcardLength(pattern.slice(0, 2));
  const after = pattern.length > 2 ? wildcardLength(pattern.slice(-2)) : null;
  const literal = pattern.slice(before === null ? 0 : 2, after === null ? undefined : -2);
  if (SPECIAL.test(literal) || (before === null && after === null)) return null;
  const least = literal.length + (before ?? 0) + (after ?? 0);
  if (literal === "") return (text) => text.length >= least;
  if (before === null) return (text) => text.length >= least && text.startsWith(literal);
  if (after === null) return (text) => text.length >= least && text.endsWith(literal);
  return (text) => {
    const found = text.indexOf(literal, before);
    return found >= 0 && found + literal.length + after <= text.length;
  };
}

function wildcardLength(text: string): number | null {
  if (text === ".*") return 0;
  return text === ".+" ? 1 : null;
}

function compileAutomaton(pattern: string): (text: string) => boolean {
  const compiled = RE2JS.compile(`^(?s:${pattern})$`);
  return (text) => compiled.matcher(text).find();
}

/**
 * What an expression finds in a whole text: its groups, by number and by name; null when it does not match.
 */
export interface RegexMatch {
  group(reference: string): string;
}

/** As compileRegex, for those who want the groups. */
export function compileGroups(pattern: string): (text: string) => RegexMatch | null {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new SyntaxError("the regular expression is too long");
  const compiled = RE2JS.compile(`^(?s:${pattern})$`);
  const names = compiled.namedGroups();
  return (text) => {
    const matcher = compiled.matcher(text);
    if (!matcher.find()) return null;
    return {
      group(reference) {
        const index = /^\d+$/.test(reference) ? Number(reference) : names[reference];
        return index === undefined || index > matcher.groupCount() ? "" : (matcher.group(index) ?? "");
      },
    };
  };
}

/** $1, ${1}, $name and ${name} stand for groups, $$ for a dollar sign. */
export function expandGroups(template: string, found: RegexMatch): string {
  return template.replace(/\$(?:\$|\w+|\{\w+\})/g, (reference) =>
    reference === "$$" ? "$" : found.group(reference.replace(/[${}]/g, "")),
  );
}
