import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closest } from "./closest.ts";

describe("the closest word", () => {
  it.each([
    ["prot", "port"],
    ["PORT", "port"],
    ["hots", "host"],
    ["reqestTimeout", "requestTimeout"],
    ["requestTimeouts", "requestTimeout"],
  ])("to %s is %s", (word, expected) => {
    expect(closest(word, ["host", "port", "requestTimeout", "shutdownTimeout"])).toBe(expected);
  });

  it("is none when nothing is near", () => {
    expect(closest("colour", ["host", "port"])).toBe(null);
    expect(closest("x", [])).toBe(null);
    expect(closest("", ["host"])).toBe(null);
  });

  it("to a word with one slip is that word", () => {
    const word = fc.stringMatching(/^[a-z]{4,12}$/);
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom("drop", "double", "swap"), (text, seed, slip) => {
        const at = seed % (text.length - 1);
        const [before, here, next, after] = [
          text.slice(0, at),
          text.charAt(at),
          text.charAt(at + 1),
          text.slice(at + 2),
        ];
        const slipped = {
          drop: before + next + after,
          double: before + here + here + next + after,
          swap: before + next + here + after,
        };
        expect(closest(slipped[slip], [text, "0123456789"])).toBe(text);
      }),
    );
  });
});
