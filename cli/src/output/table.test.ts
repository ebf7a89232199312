import { describe, expect, it } from "vitest";
import { ago, table } from "./table.ts";

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
