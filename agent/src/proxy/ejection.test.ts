import { describe, expect, it } from "vitest";
import { createEjection, forgive, holdAgainst } from "./ejection.ts";

describe("an instance", () => {
  it("is ejected by one refused connection, or by five bad answers in a row", () => {
    expect(holdAgainst(createEjection(), "connect", 0)).toBe(true);
    const doubtful = createEjection();
    const outcomes = [1, 2, 3, 4, 5].map((nowMs) => holdAgainst(doubtful, "answer", nowMs));
    expect(outcomes).toEqual([false, false, false, false, true]);
  });

  it("with a good answer in between starts anew", () => {
    const ejection = createEjection();
    for (let turn = 0; turn < 10; turn += 1) {
      for (let bad = 0; bad < 4; bad += 1) expect(holdAgainst(ejection, "answer", 0)).toBe(false);
      forgive(ejection);
    }
  });

  it("is out twice as long each time it fails the trial after it, up to half a minute", () => {
    const ejection = createEjection();
    const times: number[] = [];
    for (let nowMs = 0, turn = 0; turn < 7; turn += 1) {
      expect(holdAgainst(ejection, turn === 0 ? "connect" : "answer", nowMs)).toBe(true);
      times.push(ejection.untilMs - nowMs);
      nowMs = ejection.untilMs;
    }
    expect(times).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it("is not ejected longer by what was under way when it was", () => {
    const ejection = createEjection();
    holdAgainst(ejection, "connect", 0);
    expect([holdAgainst(ejection, "connect", 500), ejection.untilMs]).toEqual([false, 1000]);
  });
});
