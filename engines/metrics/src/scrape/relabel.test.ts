import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRelabelling, findRuleError, RELABEL_DEFAULTS, type RelabelRule } from "./relabel.ts";

type Written = Partial<RelabelRule>;

function relabel(labels: Record<string, string>, ...rules: Written[]): Record<string, string> | null {
  const map = new Map(Object.entries(labels));
  const isKept = compileRelabelling(rules.map((rule) => ({ ...RELABEL_DEFAULTS, ...rule })))(map);
  return isKept ? Object.fromEntries(map) : null;
}

describe("replace", () => {
  it("puts what the groups found into the target", () => {
    const rule = { sourceLabels: ["a"], regex: "f(.*)", targetLabel: "d", replacement: "ch${1}-ch${1}" };
    expect(relabel({ a: "foo" }, rule)).toEqual({ a: "foo", d: "choo-choo" });
  });

  it("joins its sources with the separator, absent ones as nothing", () => {
    const rule = { sourceLabels: ["a", "x", "b"], targetLabel: "d" };
    expect(relabel({ a: "1", b: "2" }, rule)).toMatchObject({ d: "1;;2" });
    expect(relabel({ a: "1", b: "2" }, { ...rule, separator: "-" })).toMatchObject({ d: "1--2" });
  });

  it("does nothing where the regular expression does not match the whole", () => {
    const rule = { sourceLabels: ["a"], regex: "o", targetLabel: "d", replacement: "x" };
    expect(relabel({ a: "foo" }, rule)).toEqual({ a: "foo" });
  });

  it("takes the target away when nothing is put in its place", () => {
    const rule = { sourceLabels: ["a"], regex: "(f)?.*", targetLabel: "b", replacement: "$2" };
    expect(relabel({ a: "foo", b: "bar" }, rule)).toEqual({ a: "foo" });
  });

  it("expands the name of the target, by number and by name", () => {
    const rule = {
      sourceLabels: ["a"],
      regex: "(?P<key>\\w+):(\\w+)",
      targetLabel: "${key}",
      replacement: "$2",
    };
    expect(relabel({ a: "colour:red" }, rule)).toMatchObject({ colour: "red" });
  });

  it("without a regular expression and sources sets a constant", () => {
    expect(relabel({ a: "1" }, { targetLabel: "team", replacement: "shop" })).toEqual({
      a: "1",
      team: "shop",
    });
    expect(relabel({ a: "1" }, { targetLabel: "a", replacement: "" })).toEqual({});
  });

  it("reads $$ as a dollar sign and leaves names that are no groups empty", () => {
    const rule = { sourceLabels: ["a"], targetLabel: "b", replacement: "$$${1}$none" };
    expect(relabel({ a: "x" }, rule)).toMatchObject({ b: "$x" });
  });
});

describe("keep and drop", () => {
  it("leave out by what is joined", () => {
    const rule = { sourceLabels: ["a", "b"], regex: "foo;ba.*" };
    expect(relabel({ a: "foo", b: "bar" }, { ...rule, action: "keep" })).toEqual({ a: "foo", b: "bar" });
    expect(relabel({ a: "foo", b: "qux" }, { ...rule, action: "keep" })).toBe(null);
    expect(relabel({ a: "foo", b: "bar" }, { ...rule, action: "drop" })).toBe(null);
    expect(relabel({ a: "foo", b: "qux" }, { ...rule, action: "drop" })).toEqual({ a: "foo", b: "qux" });
  });

  it("end the list of rules", () => {
    const rules: Written[] = [
      { action: "drop", sourceLabels: ["a"], regex: "foo" },
      { targetLabel: "never", replacement: "set" },
    ];
    expect(relabel({ a: "foo" }, ...rules)).toBe(null);
    expect(relabel({ a: "fool" }, ...rules)).toEqual({ a: "fool", never: "set" });
  });

  it("compare two labels", () => {
    const rule = { sourceLabels: ["port"], targetLabel: "wanted" };
    expect(relabel({ port: "1", wanted: "1" }, { ...rule, action: "keepequal" })).not.toBe(null);
    expect(relabel({ port: "1", wanted: "2" }, { ...rule, action: "keepequal" })).toBe(null);
    expect(relabel({ port: "1", wanted: "1" }, { ...rule, action: "dropequal" })).toBe(null);
    expect(relabel({ port: "1" }, { ...rule, action: "dropequal" })).not.toBe(null);
  });
});

describe("actions on names", () => {
  it("labelmap copies under the name that it finds", () => {
    const rule: Written = { action: "labelmap", regex: "__meta_(.+)" };
    expect(relabel({ __meta_zone: "a", b: "1" }, rule)).toEqual({ __meta_zone: "a", b: "1", zone: "a" });
  });

  it("labeldrop and labelkeep take labels away", () => {
    const labels = { a: "1", ab: "2", b: "3" };
    expect(relabel(labels, { action: "labeldrop", regex: "a.*" })).toEqual({ b: "3" });
    expect(relabel(labels, { action: "labelkeep", regex: "a.*" })).toEqual({ a: "1", ab: "2" });
  });
});

describe("actions on values", () => {
  it("change the case", () => {
    const rule = { sourceLabels: ["a"], targetLabel: "b" };
    expect(relabel({ a: "Foo" }, { ...rule, action: "lowercase" })).toMatchObject({ b: "foo" });
    expect(relabel({ a: "Foo" }, { ...rule, action: "uppercase" })).toMatchObject({ b: "FOO" });
  });

  it("hash to a shard by the end of the MD5", () => {
    const rule: Written = { action: "hashmod", sourceLabels: ["c"], targetLabel: "d", modulus: 1000 };
    // By md5sum, "baz" ends with e44cf984c85f6e88: 976 modulo 1000.
    expect(relabel({ c: "baz" }, rule)).toMatchObject({ d: "976" });
    expect(relabel({ c: "foo\nbar" }, rule)).toMatchObject({ d: "734" });
  });

  it("hash always below the modulus", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 2 ** 31 }), (c, modulus) => {
        const d = relabel({ c }, { action: "hashmod", sourceLabels: ["c"], targetLabel: "d", modulus })?.[
          "d"
        ];
        expect(Number(d)).toBeLessThan(modulus);
      }),
    );
  });
});

describe("a wrong rule", () => {
  it.each<[Written, string]>([
    [{ action: "replace" }, "replace needs a target_label"],
    [{ action: "hashmod", targetLabel: "d" }, "hashmod needs a modulus of at least 1"],
    [{ action: "lowercase", targetLabel: "d", replacement: "x" }, "lowercase takes no replacement"],
    [
      { action: "keepequal", targetLabel: "d", regex: "x" },
      "keepequal takes source_labels and target_label alone",
    ],
    [{ action: "labeldrop", regex: "x", separator: "," }, "labeldrop takes a regex alone"],
  ])("%o is told by what it lacks", (rule, message) => {
    expect(findRuleError(rule)).toBe(message);
  });

  it("names a regular expression that is none", () => {
    expect(findRuleError({ action: "drop", regex: "(" })).toMatch(/^"\(" is no regular expression/);
    expect(findRuleError({ action: "drop", regex: "(?=x)" })).toMatch(/is no regular expression/);
  });
});
