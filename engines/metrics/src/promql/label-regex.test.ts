import fc from "fast-check";
import { RE2JS } from "re2js";
import { describe, expect, it } from "vitest";
import { compileGroups, compileRegex } from "./label-regex.ts";

describe("regular expressions", () => {
  it("match whole values, also where they are compiled to something cheaper", () => {
    const patterns = [
      "a",
      "a|b",
      "",
      "|a",
      ".*",
      ".+",
      "a.*",
      ".*a",
      ".+a",
      "a.+",
      ".*a.*",
      ".+a.+",
      "(a|b)c",
      "a\\.b",
      "(?i)A",
    ];
    const letters = fc.constantFrom("a", "b", "c", "A", ".", "\n");
    fc.assert(
      fc.property(fc.constantFrom(...patterns), fc.array(letters, { maxLength: 6 }), (pattern, chars) => {
        const text = chars.join("");
        expect(compileRegex(pattern)(text)).toBe(RE2JS.compile(`^(?s:${pattern})$`).matcher(text).find());
      }),
    );
  });

  it("stay linear where JavaScript's own would not end", () => {
    expect(compileRegex("(a+)+$")(`${"a".repeat(5_000)}!`)).toBe(false);
  });

  it("are refused when they are none, look ahead or are too long", () => {
    expect(() => compileRegex("(a")).toThrow("missing closing )");
    expect(() => compileRegex("(?=a)b")).toThrow();
    expect(() => compileRegex("a".repeat(20_000))).toThrow("at most 16384");
  });

  it("hand out groups by number and by name", () => {
    const found = compileGroups("(?P<first>a+)(b)?")("aa");
    expect([found?.group("1"), found?.group("first"), found?.group("2"), found?.group("9")]).toEqual([
      "aa",
      "aa",
      "",
      "",
    ]);
  });
});
