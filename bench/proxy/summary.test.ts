import { describe, expect, it } from "vitest";
import { median, summarize, type Measurement } from "./summary.ts";

const measured = (name: string, round: number, cpuMicroseconds: number): Measurement => ({
  name,
  round,
  cpuMicroseconds,
  requestsPerSecond: 1000 * round,
  failures: 1,
  memoryBytes: 50_000_000,
});

describe("the summary of a bench of proxies", () => {
  it("compares within a round, where both met the same disturbances", () => {
    const { rows } = summarize(
      [
        ...[measured("HAProxy", 1, 10), measured("Mainstay", 1, 20)],
        ...[measured("HAProxy", 2, 40), measured("Mainstay", 2, 120)],
        ...[measured("HAProxy", 3, 20), measured("Mainstay", 3, 50)],
      ],
      { rounds: 3, seconds: 8 },
    );
    expect(rows).toEqual([
      ["HAProxy", "20.0", "10.0–40.0", "1.00", "1.00–1.00", "2000", "50", 3],
      ["Mainstay", "50.0", "20.0–120.0", "2.50", "2.00–3.00", "2000", "50", 3],
    ]);
  });
});

describe("the median", () => {
  it("is the middle value, or lies between the two in the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });
});
