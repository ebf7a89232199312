import type { z } from "zod";
import { closest } from "./closest.ts";
import type { FieldError } from "./errors.ts";
import { keysOf, schemaAt } from "./schema-tree.ts";

/**
 * Words for what a schema expected, for `safeParse(value, { error: explain })`. They never repeat the value,
 * which may be a secret. A message written in the schema itself comes first.
 */
export const explain: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? `is missing: ${expected(issue.expected)}` : expected(issue.expected);
    case "invalid_value":
      return `expected ${enumerate(issue.values.map((value) => JSON.stringify(value) ?? String(value)))}`;
    case "too_small":
      return `expected ${issue.inclusive === false ? "more than" : "at least"} ${issue.minimum}${unitOf(issue.origin, issue.minimum)}`;
    case "too_big":
      return `expected ${issue.inclusive === false ? "less than" : "at most"} ${issue.maximum}${unitOf(issue.origin, issue.maximum)}`;
    case "invalid_format":
      return `expected ${formatOf(issue)}`;
    case "invalid_union":
      return `expected ${enumerate([...new Set(issue.errors.flat().map(withoutExpected))])}`;
    case "invalid_key":
      return issue.issues[0]?.message ?? "expected another name";
    default:
      return undefined;
  }
};

const NOUNS: Record<string, string> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "keys with values",
  record: "keys with values",
  array: "a list",
  tuple: "a list",
  null: "null",
};

function expected(type: string): string {
  return `expected ${NOUNS[type] ?? type}`;
}

const FORMATS: Record<string, string> = {
  datetime: "a time such as 2026-01-31T12:00:00.000Z",
  date: "a date such as 2026-01-31",
  url: "a URL",
  email: "an e-mail address",
};

function formatOf(issue: { format: string; pattern?: string | undefined; prefix?: unknown }): string {
  if (issue.format === "starts_with") return `text that starts with "${String(issue.prefix)}"`;
  if (issue.format === "regex" && issue.pattern) return `text of the form ${issue.pattern}`;
  return FORMATS[issue.format] ?? `text of the form ${issue.format}`;
}

function unitOf(origin: string, count: number | bigint): string {
  const plural = Number(count) === 1 ? "" : "s";
  if (origin === "string") return ` character${plural}`;
  return origin === "array" || origin === "set" ? ` item${plural}` : "";
}

function withoutExpected({ message }: { message: string }): string {
  return message.replace(/^expected /, "");
}

function enumerate(words: string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** zod's findings as path and message; unknown keys one by one, with the key that was probably meant. */
export function describeIssues(error: z.ZodError, schema?: z.ZodType): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String).join(".");
    if (issue.code !== "unrecognized_keys") return [{ path: path || "(top level)", message: issue.message }];
    const known = schema ? keysOf(schemaAt(schema, issue.path)) : [];
    return issue.keys.map((key) => ({
      path: path ? `${path}.${key}` : key,
      message: unknownKey(key, known),
    }));
  });
}

function unknownKey(key: string, known: string[]): string {
  const meant = closest(key, known);
  if (meant) return `unknown key; did you mean "${meant}"?`;
  return known.length > 0 ? `unknown key; expected ${enumerate(known)}` : "unknown key";
}
