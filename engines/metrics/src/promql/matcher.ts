import { compileRegex } from "./label-regex.ts";
import type { Matcher } from "../storage.ts";

/** A test of a label's value, "" for a label that is not there. Throws when the expression is none. */
export function compileMatcher({ operator, value }: Matcher): (text: string) => boolean {
  if (operator === "=") return (text) => text === value;
  if (operator === "!=") return (text) => text !== value;
  const matches = compileRegex(value);
  return operator === "=~" ? matches : (text) => !matches(text);
}

/** Whether a series without the label passes. */
export function matchesEmpty(matcher: Matcher): boolean {
  return compileMatcher(matcher)("");
}
