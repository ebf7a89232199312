import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { duration, percentage } from "./unit-schemas.ts";
import {
  formatDuration,
  formatShare,
  formatSize,
  parseDurationMs,
  parseShare,
  parseSizeBytes,
} from "./units.ts";

describe("durations", () => {
  it.each([
    ["500ms", 500],
    ["10s", 10_000],
    ["1.5h", 5_400_000],
    ["1h30m", 5_400_000],
    ["30d", 2_592_000_000],
    [" 10 s ", 10_000],
    ["0s", 0],
  ])("%s is understood", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each(["", "10", "s", "-1s", "1 day", "10sec", "1h foo", "1e3s", "1constructor", `${"9".repeat(20)}d`])(
    "%s is none",
    (text) => {
      expect(parseDurationMs(text)).toBe(null);
    },
  );

  it("are written so that they can be read back, to the second largest unit", () => {
    fc.assert(
      fc.property(fc.nat(400 * 86_400_000), (ms) => {
        const readBack = parseDurationMs(formatDuration(ms)) ?? NaN;
        const tolerance = ms >= 86_400_000 ? 3_600_000 : ms >= 3_600_000 ? 60_000 : ms >= 60_000 ? 1_000 : 1;
        expect(readBack).toBeLessThanOrEqual(ms);
        expect(ms - readBack).toBeLessThan(tolerance);
      }),
    );
  });

  it.each([
    [90_000, "1m30s"],
    [0, "0ms"],
    [999.6, "1000ms"],
    [3_600_000, "1h"],
    [90_061_000, "1d1h"],
  ])("%d ms are written %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("sizes", () => {
  it.each([
    ["512MiB", 536_870_912],
    ["1.5GB", 1_500_000_000],
    ["1 kB", 1_000],
    ["7B", 7],
  ])("%s is understood", (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });

  it.each(["", "512", "MiB", "1mb", "-1MB", "1MB2", "1constructor", "1toString", `${"9".repeat(30)}GB`])(
    "%s is none",
    (text) => {
      expect(parseSizeBytes(text)).toBe(null);
    },
  );
});

describe("percentages", () => {
  it("lie between 0% and 100%", () => {
    expect(["0%", "10%", "0.5%", "100%"].map(parseShare)).toEqual([0, 0.1, 0.005, 1]);
    expect(["100.01%", "-1%", "10", "%", "ten%"].map(parseShare)).toEqual([null, null, null, null, null]);
  });

  it("are written as they are read", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (hundredths) => {
        expect(parseShare(formatShare(hundredths / 10_000))).toBeCloseTo(hundredths / 10_000, 10);
      }),
    );
  });
});

describe("schemas of values with a unit", () => {
  it("are numbers of the base unit, or nothing: whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,20}(\.\d)?(ms|s|m|h|d|%)$/)), (text) => {
        for (const schema of [duration(), percentage()]) {
          const parsed = schema.safeParse(text);
          if (parsed.success) expect(parsed.data >= 0 && Number.isFinite(parsed.data)).toBe(true);
        }
      }),
    );
  });

  it("say what they expect of a number without a unit", () => {
    expect(duration().safeParse(10).error?.issues[0]?.message).toMatch(/^expected a duration such as/);
    expect(percentage().safeParse("10").error?.issues[0]?.message).toBe(
      'expected a percentage from "0%" to "100%"',
    );
  });
});

describe("a size", () => {
  it.each([
    [0, "0B"],
    [1023, "1023B"],
    [512 * 1024 ** 2, "512MiB"],
    [1.5 * 1024 ** 3, "1.5GiB"],
  ])("of %i bytes is written %s, and read back", (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
    expect(parseSizeBytes(text)).toBe(bytes);
  });
});
