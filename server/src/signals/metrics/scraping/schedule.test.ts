import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextScrapeMs, offsetOf, timestampOf } from "./schedule.ts";

describe("the time of a scrape", () => {
  it("is the next one at the target's offset", () => {
    expect(nextScrapeMs(100_000, 15_000, 4_000)).toBe(109_000);
    expect(nextScrapeMs(109_000, 15_000, 4_000)).toBe(124_000);
    expect(nextScrapeMs(108_999.5, 15_000, 4_000)).toBe(109_000);
  });

  it("is always ahead, and by one interval at most", () => {
    const inputs = [fc.nat(2 ** 40), fc.integer({ min: 1, max: 3_600_000 }), fc.nat(3_600_000)] as const;
    fc.assert(
      fc.property(...inputs, (nowMs, intervalMs, offset) => {
        const dueMs = nextScrapeMs(nowMs, intervalMs, offset % intervalMs);
        expect(dueMs).toBeGreaterThan(nowMs);
        expect(dueMs - nowMs).toBeLessThanOrEqual(intervalMs);
        expect(dueMs % intervalMs).toBe(offset % intervalMs);
      }),
    );
  });

  it("is the same for the same target, and spread over many", () => {
    expect(offsetOf("a", "seed", 15_000)).toBe(offsetOf("a", "seed", 15_000));
    const offsets = Array.from({ length: 100 }, (_, index) => offsetOf(`target ${index}`, "seed", 10));
    expect(new Set(offsets).size).toBe(10);
  });

  it("is written as it was planned unless the scrape began late", () => {
    expect(timestampOf(15_001.6, 15_000)).toBe(15_000);
    expect(timestampOf(15_010, 15_000)).toBe(15_010);
  });
});
