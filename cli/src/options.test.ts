import { describe, expect, it } from "vitest";
import { countOption, durationOption, environmentOption } from "./options.ts";

describe("options", () => {
  it("read durations with their units", () => {
    expect(durationOption("1m30s")).toBe(90_000);
    expect(() => durationOption("90")).toThrow(/Expected a duration/);
  });

  it("collect variables, the later one winning, with any value", () => {
    const first = environmentOption("A=1", {});
    expect(environmentOption("URL=http://x/?a=b", environmentOption("A=2", first))).toEqual({
      A: "2",
      URL: "http://x/?a=b",
    });
    expect(() => environmentOption("no value", {})).toThrow(/KEY=value/);
  });

  it("read whole numbers from 1 up", () => {
    expect(countOption("20")).toBe(20);
    for (const text of ["0", "-1", "1.5", "many"]) expect(() => countOption(text)).toThrow(/whole number/);
  });
});
