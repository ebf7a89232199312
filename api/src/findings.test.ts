import { describe, expect, it } from "vitest";
import { z } from "zod";
import { describeIssues, explain } from "./findings.ts";

function findingsOf(schema: z.ZodType, value: unknown) {
  const parsed = schema.safeParse(value, { error: explain });
  return parsed.success ? [] : describeIssues(parsed.error, schema);
}
const messageOf = (schema: z.ZodType, value: unknown) => findingsOf(schema, value)[0]?.message;

describe("what a schema expected", () => {
  it.each<[string, z.ZodType, unknown, string]>([
    ["text", z.string(), 1, "expected text"],
    ["text that is missing", z.object({ a: z.string() }), {}, "is missing: expected text"],
    ["a whole number", z.int(), 1.5, "expected a whole number"],
    ["a list", z.array(z.string()), {}, "expected a list"],
    ["an object", z.object({}), [], "expected keys with values"],
    ["one of some", z.enum(["a", "b", "c"]), "d", 'expected "a", "b" or "c"'],
    ["a minimum", z.number().min(2), 1, "expected at least 2"],
    ["more than", z.number().gt(2), 2, "expected more than 2"],
    ["less than", z.number().lt(2), 2, "expected less than 2"],
    ["a length", z.string().min(2), "x", "expected at least 2 characters"],
    ["one character", z.string().min(1), "", "expected at least 1 character"],
    ["few items", z.array(z.int()).max(2), [1, 2, 3], "expected at most 2 items"],
    ["a form", z.string().regex(/^a+$/), "b", "expected text of the form /^a+$/"],
    ["a beginning", z.string().startsWith("/"), "x", 'expected text that starts with "/"'],
    ["a time", z.iso.datetime(), "now", "expected a time such as 2026-01-31T12:00:00.000Z"],
    ["one of two kinds", z.union([z.string(), z.int()]), true, "expected text or a number"],
    ["a key", z.record(z.string().min(2), z.int()), { a: 1 }, "expected at least 2 characters"],
    ["its own words", z.int("expected a port"), "x", "expected a port"],
  ])("%s is said in words", (_name, schema, value, message) => {
    expect(messageOf(schema, value)).toBe(message);
  });

  it("never repeats the value", () => {
    const schema = z.object({ password: z.string().regex(/^\d+$/), pin: z.int(), kind: z.enum(["a"]) });
    expect(
      JSON.stringify(findingsOf(schema, { password: "hunter2", pin: "hunter2", kind: "hunter2" })),
    ).not.toContain("hunter2");
  });
});

describe("unknown keys", () => {
  const schema = z.strictObject({
    port: z.int().default(1),
    inner: z.strictObject({ host: z.string().optional() }).prefault({}),
    list: z.array(z.strictObject({ name: z.string().optional() })).default([]),
    map: z.record(z.string(), z.strictObject({ size: z.int().optional() })).default({}),
  });

  it("are named one by one, wherever they are, with what was probably meant", () => {
    const value = {
      prot: 1,
      inner: { hots: "" },
      list: [{}, { nam: "" }],
      map: { any: { sise: 1, colour: 2 } },
    };
    expect(Object.fromEntries(findingsOf(schema, value).map(({ path, message }) => [path, message]))).toEqual(
      {
        prot: 'unknown key; did you mean "port"?',
        "inner.hots": 'unknown key; did you mean "host"?',
        "list.1.nam": 'unknown key; did you mean "name"?',
        "map.any.sise": 'unknown key; did you mean "size"?',
        "map.any.colour": "unknown key; expected size",
      },
    );
  });

  it("are just unknown where nothing is known", () => {
    const parsed = schema.safeParse({ x: 1 });
    expect(parsed.error && describeIssues(parsed.error)).toEqual([{ path: "x", message: "unknown key" }]);
  });
});
