import { expect, it } from "vitest";
import { reservedNameFault } from "./reserved-names.ts";

const named = (metric: string, ...labels: [string, string][]): [string, string][] => [
  ...labels,
  ["__name__", metric],
];

it("names are reserved by what they begin with, and by nothing else", () => {
  const isTaken = (metric: string) => reservedNameFault(named(metric), null) === null;
  const taken = ["app_orders", "up", "mainstay", "Mainstay_x", "my_mainstay_x", "job:mainstay_x:sum"];
  expect(taken.map(isTaken)).toEqual(taken.map(() => true));
  expect(["mainstay_", "mainstay_host_load1", "mainstay_x:rate"].map(isTaken)).toEqual([false, false, false]);
});

it("others are told apart by their label, which must say something", () => {
  const isTaken = (...labels: [string, string][]) =>
    reservedNameFault(named("mainstay_host_load1", ...labels), "cluster") === null;
  expect(isTaken(["cluster", "vienna"])).toBe(true);
  expect([isTaken(), isTaken(["cluster", ""]), isTaken(["zone", "a"])]).toEqual([false, false, false]);
});
