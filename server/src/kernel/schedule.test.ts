import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextTurnMs, offsetOf } from "./schedule.ts";

describe("the time of a turn", () => {
  it("is the next one at the offset", () => {
    expect(nextTurnMs(100_000, 15_000, 4_000)).toBe(109_000);
    expect(nextTurnMs(109_000, 15_000, 4_000)).toBe(124_000);
    expect(nextTurnMs(108_999.5, 15_000, 4_000)).toBe(109_000);
  });

  it("is always ahead, and by one interval at most", () => {
    const inputs = [fc.nat(2 ** 40), fc.integer({ min: 1, max: 3_600_000 }), fc.nat(3_600_000)] as const;
    fc.assert(
      fc.property(...inputs, (nowMs, intervalMs, offset) => {
        const dueMs = nextTurnMs(nowMs, intervalMs, offset % intervalMs);
        expect(dueMs).toBeGreaterThan(nowMs);
        expect(dueMs - nowMs).toBeLessThanOrEqual(intervalMs);
        expect(dueMs % intervalMs).toBe(offset % intervalMs);
      }),
    );
  });

  it("has an offset that is the same for the same name, and spread over many", () => {
    expect(offsetOf("a", 15_000)).toBe(offsetOf("a", 15_000));
    const offsets = Array.from({ length: 100 }, (_, index) => offsetOf(`target ${index}`, 10));
    expect(new Set(offsets).size).toBe(10);
  });
});
