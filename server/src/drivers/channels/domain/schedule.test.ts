import { describe, expect, it } from "vitest";
import { heldUntil, pauseMs, readRetryAfter } from "./schedule.ts";

const NOW = new Date("2026-11-01T12:00:00Z");
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const plain = { chance: 0, retryAfterMs: null };

describe("the pause after a failed attempt", () => {
  it("grows as Standard Webhooks recommends, over about three days, and then there is none", () => {
    const pauses = Array.from({ length: 10 }, (_, index) => pauseMs(index + 1, plain));
    const hours = [2, 5, 10, 14, 20, 24].map((each) => each * HOUR_MS);
    expect(pauses).toEqual([5_000, 5 * MINUTE_MS, 30 * MINUTE_MS, ...hours, null]);
  });

  it("is up to a fifth longer by chance, and never shorter than the receiver asks for", () => {
    expect(pauseMs(1, { chance: 1, retryAfterMs: null })).toBe(6_000);
    expect(pauseMs(1, { chance: 0, retryAfterMs: MINUTE_MS })).toBe(MINUTE_MS);
    expect(pauseMs(3, { chance: 0, retryAfterMs: MINUTE_MS })).toBe(30 * MINUTE_MS);
  });
});

describe("Retry-After", () => {
  it.each([
    ["120", 120_000],
    ["Sun, 01 Nov 2026 12:01:00 GMT", MINUTE_MS],
    ["Sun, 01 Nov 2026 11:00:00 GMT", 0],
    ["99999999", 24 * HOUR_MS],
    ["soon", null],
    [null, null],
  ])("of %j is a pause of %j ms", (header, expected) => expect(readRetryAfter(header, NOW)).toBe(expected));
});

describe("a message on a subject", () => {
  const ago = (minutes: number) => new Date(NOW.getTime() - minutes * MINUTE_MS);
  const held = (...due: Date[]) => heldUntil(due, { now: NOW, withinMs: 10 * MINUTE_MS });

  it("goes at once when it is one of two within the time", () => {
    expect(held()).toBeNull();
    expect(held(ago(0))).toBeNull();
    expect(held(ago(0), ago(10))).toBeNull();
  });

  it("waits when two were due already, until the earlier of them is long enough ago", () => {
    expect(held(ago(0), ago(9))).toEqual(new Date(NOW.getTime() + MINUTE_MS));
    expect(held(ago(1), ago(1))).toEqual(new Date(NOW.getTime() + 9 * MINUTE_MS));
  });
});
