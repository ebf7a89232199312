import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isTooDeep } from "./json-depth.ts";

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

describe("the depth of a text of JSON", () => {
  it("may be 64, of lists and objects together", () => {
    expect(isTooDeep(nested(64))).toBe(false);
    expect(isTooDeep(nested(65))).toBe(true);
    expect(isTooDeep('{"a":['.repeat(33))).toBe(true);
    expect(isTooDeep("[".repeat(1_000_000))).toBe(true);
  });

  it("does not count what stands in texts", () => {
    expect(isTooDeep(JSON.stringify({ a: "[".repeat(1000), ['"{'.repeat(100)]: '\\"[[[' }))).toBe(false);
    expect(isTooDeep(JSON.stringify(Array.from({ length: 1000 }, () => [])))).toBe(false);
  });

  it("is no reason against anything that is flat", () => {
    fc.assert(fc.property(fc.json({ maxDepth: 10 }), (text) => !isTooDeep(text)));
  });
});
