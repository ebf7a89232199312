import { describe, expect, it } from "vitest";
import { drawChart, shortValue, type ChartSeries } from "./chart.ts";

const SIZE = { width: 26, height: 4, hasColours: false };
const rising: ChartSeries = {
  label: "up",
  points: Array.from({ length: 20 }, (_, step) => [step * 60, step]),
};
const falling: ChartSeries = {
  label: "down",
  points: Array.from({ length: 20 }, (_, step) => [step * 60, 19 - step]),
};

describe("a chart in the terminal", () => {
  it("draws one series in dots, with values on the left, times below and a legend", () => {
    const lines = drawChart([rising], SIZE).split("\n");
    expect(lines.slice(0, 4).map((line) => line.slice(0, 5))).toEqual([
      " 19 ┤".slice(0, 5),
      "9.5 ┤",
      "    ┤",
      "  0 ┤",
    ]);
    expect(lines[0]).toMatch(/[⠀-⣿]$/);
    expect(lines[3]).toMatch(/┤[⠁-⣿]/);
    expect(lines[4]).toContain("1970-01-01 00:00:00");
    expect(lines[5]).toBe("⣀ up  19");
  });

  it("tells several apart by letters, or by colours where there are some", () => {
    const plain = drawChart([rising, falling], SIZE).split("\n");
    expect(plain[0]).toMatch(/┤B+ +A+$/);
    expect(plain[3]).toMatch(/┤A+ +B+$/);
    const coloured = drawChart([rising, falling], { ...SIZE, hasColours: true });
    expect(coloured).toContain("\u001b[36m");
    expect(coloured).toContain("\u001b[33m");
  });

  it("leaves gaps where there is nothing, and says what it does not draw", () => {
    const gap: ChartSeries = {
      label: "gap",
      points: [
        [0, 1],
        [60, NaN],
        [120, 1],
      ],
    };
    expect(
      drawChart([gap], SIZE)
        .split("\n")
        .some((line) => /[⠁-⣿] +[⠁-⣿]$/.test(line)),
    ).toBe(true);
    expect(drawChart([{ label: "none", points: [[0, NaN]] }], SIZE)).toBe("");
    const many = Array.from({ length: 10 }, () => rising);
    expect(drawChart(many, SIZE)).toContain("… and 2 more series, which are not drawn");
  });
});

it("numbers are short", () => {
  expect([0, 12.345, 1234, 5_600_000, -2e9, 3.2e13, 0.00012, Infinity].map(shortValue)).toEqual([
    ...["0", "12.3", "1.23k", "5.6M", "-2G", "32T", "0.00012", "Infinity"],
  ]);
});
