import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInRange } from "./node-range.ts";

describe("a version in a range of package.json", () => {
  it.each([
    ["24.21.0", "24"],
    ["24.21.0", "24.x"],
    ["24.21.0", "*"],
    ["24.21.0", ""],
    ["24.21.0", "v24.21.0"],
    ["24.21.0", "^24.1"],
    ["24.21.0", "~24.21.0"],
    ["24.21.0", ">=20"],
    ["24.21.0", ">= 20 < 25"],
    ["24.21.0", "18 - 24"],
    ["24.21.0", "<=24"],
    ["24.21.0", "18.x || >=22.11.0"],
    ["0.3.9", "^0.3.1"],
    ["0.0.3", "^0.0.3"],
  ])("%s lies in %s", (version, range) => {
    expect(isInRange(version, range)).toBe(true);
  });

  it.each([
    ["24.21.0", "22"],
    ["24.21.0", "^22.3.0"],
    ["24.21.0", "~24.20.0"],
    ["24.21.0", ">24"],
    ["24.21.0", "<24"],
    ["24.21.0", ">=18 <24"],
    ["24.21.0", "18 - 22"],
    ["24.21.0", "18 || 20"],
    ["0.4.0", "^0.3.1"],
    ["0.0.4", "^0.0.3"],
    ["1.0.0", "^0"],
  ])("%s does not lie in %s", (version, range) => {
    expect(isInRange(version, range)).toBe(false);
  });

  it("is not judged when the range is not understood", () => {
    for (const range of ["lts/*", "latest", "1.2.3.4"]) expect(isInRange("24.21.0", range)).toBeNull();
  });

  it("holds for >=v exactly when it does not for <v", () => {
    const version = fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40)).map((parts) => parts.join("."));
    fc.assert(
      fc.property(version, version, (one, other) => {
        expect(isInRange(one, `>=${other}`)).toBe(!isInRange(one, `<${other}`));
        expect(isInRange(one, `^${one} || ~${one} || ${one}`)).toBe(true);
      }),
    );
  });
});
