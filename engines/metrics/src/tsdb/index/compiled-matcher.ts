import { RE2JS } from "re2js";
import type { Matcher } from "../../storage.ts";

/** A matcher that is ready to be asked many times. */
export interface CompiledMatcher {
  readonly name: string;
  matches(value: string): boolean;
  /** A series without the label counts as one. */
  readonly matchesEmpty: boolean;
  /** The only values that match, where they are few and known. */
  readonly literals: readonly string[] | null;
}

const SPECIAL = /[\\.+*?()[\]{}^$|]/;

/** Whole words, alternations of words and prefixes are compared; only what is left meets RE2. */
export function compileMatcher({ name, operator, value }: Matcher): CompiledMatcher {
  const isNegative = operator === "!=" || operator === "!~";
  const isPattern = operator === "=~" || operator === "!~";
  const literals = isPattern ? literalsOf(value) : [value];
  const positive = literals === null ? remembered(testOf(value)) : isOneOf(literals);
  const matches = isNegative ? (each: string) => !positive(each) : positive;
  return { name, matches, matchesEmpty: matches(""), literals: isNegative ? null : literals };
}

/** `a|b|c`, with or without brackets around it, when no part means more than its letters. */
function literalsOf(pattern: string): readonly string[] | null {
  const inner = /^\((?:\?:)?([^()]*)\)$/.exec(pattern)?.[1] ?? pattern;
  const parts = inner.split("|");
  return parts.some((part) => SPECIAL.test(part)) ? null : parts;
}

function isOneOf(literals: readonly string[]): (value: string) => boolean {
  const [only = ""] = literals;
  if (literals.length === 1) return (value) => value === only;
  const set = new Set(literals);
  return (value) => set.has(value);
}

/** `prefix.*` and `prefix.+`; anything else by RE2, whose time is linear whatever the pattern. */
function testOf(pattern: string): (value: string) => boolean {
  const [, prefix, tail] = /^([^\\.+*?()[\]{}^$|]*)\.([*+])$/.exec(pattern) ?? [];
  if (prefix !== undefined) {
    const longerThan = tail === "+" ? prefix.length : -1;
    return (value) => value.length > longerThan && value.startsWith(prefix);
  }
  const compiled = RE2JS.compile(pattern, RE2JS.DOTALL);
  return (value) => compiled.matches(value);
}

/** Series share values: each is put to the pattern once. */
function remembered(test: (value: string) => boolean): (value: string) => boolean {
  const answers = new Map<string, boolean>();
  return (value) => {
    let answer = answers.get(value);
    if (answer === undefined) answers.set(value, (answer = test(value)));
    return answer;
  };
}
