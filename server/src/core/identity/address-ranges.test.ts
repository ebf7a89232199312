import { describe, expect, it } from "vitest";
import { explainRange, readAddressRanges } from "./address-ranges.ts";

describe("a list of addresses", () => {
  it.each([
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.7", "192.0.2.7", true],
    ["192.0.2.7", "192.0.2.8", false],
    ["0.0.0.0/0", "203.0.113.9", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["2001:db8::/32", "2001:db8:ffff::1", true],
    ["2001:db8::/32", "2001:db9::1", false],
    ["2001:db8::7/128", "2001:DB8:0:0:0:0:0:7", true],
    ["192.0.2.0/24", "::ffff:192.0.2.7", true],
    ["192.0.2.0/24", "::ffff:192.0.3.7", false],
    ["192.0.2.0/24", "no address", false],
  ])("%s holds %s: %s", (range, address, isIn) => {
    expect(readAddressRanges([range])?.(address)).toBe(isIn);
  });

  it("holds what any of its ranges holds; an empty one is no limit at all", () => {
    const isIn = readAddressRanges(["192.0.2.0/24", "2001:db8::/32"]);
    expect(isIn?.("192.0.2.1")).toBe(true);
    expect(isIn?.("2001:db8::1")).toBe(true);
    expect(readAddressRanges([])).toBe(null);
  });

  it.each([
    "",
    "192.0.2",
    "192.0.2.0/33",
    "2001:db8::/129",
    "192.0.2.0/-1",
    "192.0.2.0/",
    "1.2.3.4/8/8",
    "host",
  ])("says what is wrong with %j", (text) => {
    expect(explainRange(text)).toContain(text);
  });

  it.each(["192.0.2.7", "192.0.2.0/0", "::1", "2001:db8::/128"])("takes %s", (text) => {
    expect(explainRange(text)).toBe(null);
  });
});
