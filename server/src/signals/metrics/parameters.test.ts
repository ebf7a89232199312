import { describe, expect, it } from "vitest";
import {
  EVER_MS,
  readCount,
  readDurationMs,
  readLimit,
  readMost,
  readParameters,
  readTimeMs,
  readTruth,
} from "./parameters.ts";

const of = (value: string) => readParameters(new URLSearchParams({ p: value }).toString(), "");

describe("readTimeMs", () => {
  it.each([
    ["1.5", 1500],
    ["-0.25", -250],
    ["1e3", 1_000_000],
    ["1970-01-01T00:00:01Z", 1000],
    ["1970-01-01T01:00:00.123456789+01:00", 123],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["0001-01-01T00:00:00Z", -62_135_596_800_000],
    ["-292273086-05-16T16:47:06Z", -EVER_MS],
    ["292277025-08-18T07:12:54.999999999Z", EVER_MS],
    ["", 7],
  ])("takes %j", (text, timeMs) => {
    expect(readTimeMs(of(text), "p", 7)).toBe(timeMs);
  });

  it.each([
    ...["noon", " 5", "5s", "Inf", "NaN", "1e30", "2024-01-01", "2024-01-01T00:00:00", "constructor"],
    ...["2024-02-30T00:00:00Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z"],
    ...["2024-01-01T00:60:00Z", "2024-01-01t00:00:00z", "2024-01-01T00:00:00+0100"],
  ])("refuses %j", (text) => {
    expect(() => readTimeMs(of(text), "p", 7)).toThrow('invalid parameter "p": cannot parse');
  });
});

it("reads lengths of time with and without units", () => {
  const texts = ["60", "1m", "1h30m", "0.5", "-1", "0"];
  expect(texts.map((text) => readDurationMs(of(text), "p"))).toEqual([
    60_000, 60_000, 5_400_000, 500, -1000, 0,
  ]);
  for (const text of ["soon", "1m1h", "1.5m", "-1m", "60s "])
    expect(() => readDurationMs(of(text), "p")).toThrow("to a valid duration");
});

describe("whole numbers", () => {
  it("are limits, with none for 0", () => {
    expect(["", "0", "+2", "10"].map((text) => readLimit(of(text), "p"))).toEqual([
      Infinity,
      Infinity,
      2,
      10,
    ]);
    for (const text of ["-1", "1.5", "ten", "99999999999999999999"])
      expect(() => readLimit(of(text), "p")).toThrow('invalid parameter "p"');
  });

  it("are the most items of metadata, where 0 means none and a negative one all", () => {
    expect(["", "0", "-1", "3"].map((text) => readMost(of(text), "p"))).toEqual([Infinity, 0, Infinity, 3]);
    expect(() => readMost(of("ten"), "p")).toThrow("p must be a number");
  });

  it("are counts from 1 on", () => {
    expect(["", "+2"].map((text) => readCount(of(text), "p", 5))).toEqual([5, 2]);
    for (const text of ["0", "-1", "ten"])
      expect(() => readCount(of(text), "p", 5)).toThrow("must be a positive");
  });
});

it("reads yes and no in any case of letters", () => {
  expect(["", "0", "F", "false"].map((text) => readTruth(of(text), "p"))).not.toContain(true);
  expect(["1", "t", "TRUE"].map((text) => readTruth(of(text), "p"))).not.toContain(false);
  for (const text of ["maybe", "constructor"])
    expect(() => readTruth(of(text), "p")).toThrow("neither true nor false");
});

it("takes the first of several, those of a form before those of the address", () => {
  const parameters = readParameters("p=address&p=more&q=1", "p=form");
  expect([parameters.text("p"), parameters.text("q"), parameters.all("p")]).toEqual([
    ...["form", "1"],
    ["form", "address", "more"],
  ]);
});
