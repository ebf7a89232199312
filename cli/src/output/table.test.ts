import { describe, expect, it } from "vitest";
import { ago, table, until } from "./table.ts";

describe("a table", () => {
  it("aligns its columns and pads nothing at the end of a line", () => {
    expect(
      table(
        ["A", "B"],
        [
          ["long", "x"],
          ["s", "yy"],
        ],
      ),
    ).toBe("A     B\nlong  x\ns     yy");
  });
});

describe("how long ago", () => {
  it.each([
    [3, "3 s ago"],
    [120, "2 min ago"],
    [7200, "2 h ago"],
    [200_000, "2 d ago"],
  ])("%i seconds are %s", (seconds, words) => {
    expect(ago(new Date(0).toISOString(), seconds * 1000)).toBe(words);
  });
});

describe("how long until", () => {
  it.each([
    [3, "in 3 s"],
    [200_000, "in 2 d"],
    [-7200, "2 h ago"],
  ])("%i seconds ahead are %s", (seconds, words) => {
    expect(until(new Date(seconds * 1000).toISOString(), 0)).toBe(words);
  });
});
