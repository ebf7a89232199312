import { describe, expect, it } from "vitest";
import { formatTable } from "./format-table.ts";

describe("a table", () => {
  it("aligns words to the left and numbers to the right", () => {
    const table = {
      title: "Proxies",
      columns: ["proxy", "µs"],
      rows: [
        ["HAProxy", 18.1],
        ["a much longer name", "105.4"],
        ["nobody", "–"],
      ],
      notes: ["Less is better."],
    };
    expect(formatTable(table).split("\n")).toEqual([
      "",
      "Proxies",
      "",
      "proxy                  µs",
      "──────────────────  ─────",
      "HAProxy              18.1",
      "a much longer name  105.4",
      "nobody                  –",
      "  Less is better.",
      "",
    ]);
  });
});
