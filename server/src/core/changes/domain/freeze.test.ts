import { freezeList } from "@mainstay/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findFreeze } from "./freeze.ts";

const reason = "quiet";

function untilOf(window: Record<string, string>, now: string): string | null {
  const windows = freezeList.parse([{ reason, ...window }]);
  return findFreeze(windows, new Date(now))?.until.toISOString() ?? null;
}

describe("a freeze window", () => {
  it.each([
    // Friday 16:00 to Monday 08:00; 2026-11-06 is a Friday.
    [{ from: "fri 16:00", to: "mon 08:00" }, "2026-11-06T15:59:59Z", null],
    [{ from: "fri 16:00", to: "mon 08:00" }, "2026-11-06T16:00:00Z", "2026-11-09T08:00:00.000Z"],
    [{ from: "fri 16:00", to: "mon 08:00" }, "2026-11-09T07:59:59Z", "2026-11-09T08:00:00.000Z"],
    [{ from: "fri 16:00", to: "mon 08:00" }, "2026-11-09T08:00:00Z", null],
    // Over midnight, every day.
    [{ from: "22:00", to: "06:00" }, "2026-11-03T23:30:00Z", "2026-11-04T06:00:00.000Z"],
    [{ from: "22:00", to: "06:00" }, "2026-11-04T05:30:00Z", "2026-11-04T06:00:00.000Z"],
    [{ from: "22:00", to: "06:00" }, "2026-11-04T12:00:00Z", null],
    // Once.
    [
      { from: "2026-12-20 18:00", to: "2027-01-03 08:00" },
      "2026-12-31T12:00:00Z",
      "2027-01-03T08:00:00.000Z",
    ],
    [{ from: "2026-12-20 18:00", to: "2027-01-03 08:00" }, "2027-01-03T08:00:00Z", null],
    // By the wall clock of a place, over the end of summer time (2026-10-25 in Berlin).
    [
      { from: "sat 18:00", to: "mon 06:00", timezone: "Europe/Berlin" },
      "2026-10-24T16:00:00Z",
      "2026-10-26T05:00:00.000Z",
    ],
    [{ from: "sat 18:00", to: "mon 06:00", timezone: "Europe/Berlin" }, "2026-10-24T15:59:00Z", null],
  ])("%j at %s ends %s", (window, now, until) => {
    expect(untilOf(window, now)).toBe(until);
  });

  it("ends in the future and at its own end, whenever it is looked at", () => {
    const minute = fc.integer({ min: 0, max: 7 * 24 * 60 - 1 });
    const zone = fc.constantFrom("UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham");
    const now = fc.date({ min: new Date("2026-01-01"), max: new Date("2027-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(minute, minute, zone, now, (from, to, timezone, at) => {
        fc.pre(from !== to);
        const window = { every: "week" as const, from, to, timezone, reason };
        const frozen = findFreeze([window], at);
        if (!frozen) return;
        expect(frozen.until.getTime()).toBeGreaterThan(at.getTime());
        expect(findFreeze([window], new Date(frozen.until.getTime() - 1))).not.toBeNull();
      }),
    );
  });

  it("of several, the one that ends last is told", () => {
    const windows = freezeList.parse([
      { from: "fri 16:00", to: "sat 08:00", reason: "short" },
      { from: "fri 12:00", to: "mon 08:00", reason: "long" },
    ]);
    expect(findFreeze(windows, new Date("2026-11-06T20:00:00Z"))).toMatchObject({ reason: "long" });
  });

  it.each([
    [{ from: "fri 16:00", to: "08:00" }, 'expected the same form as "from"'],
    [{ from: "22:00", to: "22:00" }, 'expected a time behind "from"'],
    [{ from: "2026-12-20 18:00", to: "2026-12-19 18:00" }, 'expected a time behind "from"'],
    [{ from: "25:00", to: "06:00" }, "expected a time such as"],
    [{ from: "xyz 10:00", to: "06:00" }, "expected a time such as"],
    [{ from: "10:00", to: "12:00", timezone: "Mars/Base" }, "expected the name of a time zone"],
  ])("%j is refused: %s", (window, message) => {
    const parsed = freezeList.safeParse([{ reason, ...window }]);
    expect(parsed.error?.issues.map((each) => each.message).join()).toContain(message);
  });
});
