import { describe, expect, it } from "vitest";
import { backOffMs, renewalTime, whyNotOrdered } from "./schedule.ts";

const DAY_MS = 86_400_000;

describe("the renewal of a certificate", () => {
  const notBefore = new Date("2026-01-01T00:00:00Z");
  const notAfter = new Date(notBefore.getTime() + 90 * DAY_MS);

  it("comes with a third of its lifetime left, or up to a tenth of that earlier", () => {
    const daysLeft = (chance: number) =>
      (notAfter.getTime() - renewalTime({ notBefore, notAfter }, chance).getTime()) / DAY_MS;
    expect(daysLeft(0)).toBe(30);
    expect(daysLeft(0.999)).toBeGreaterThan(32.9);
    expect(daysLeft(0.999)).toBeLessThan(33);
  });

  it("that failed is tried again later each time, within half a day", () => {
    const minutes = [1, 2, 3, 4, 5, 6, 50].map((attempts) => backOffMs(attempts, 0) / 60_000);
    expect(minutes).toEqual([5, 15, 45, 135, 405, 720, 720]);
    expect(backOffMs(1, 1)).toBe(6.25 * 60_000);
  });
});

describe("a certificate by HTTP", () => {
  it.each(["shop.example.com", "a-b.example.co.uk", "xn--bcher-kva.example", "1.example.com"])(
    "is ordered for %s",
    (host) => expect(whyNotOrdered(host)).toBeNull(),
  );

  it.each([
    "localhost",
    "shop",
    "10.0.0.1",
    "a.localhost",
    "nas.local",
    "x.invalid",
    "-a.example.com",
    "a..com",
  ])("is not ordered for %s", (host) => expect(whyNotOrdered(host)).toBe("it is no public host name"));

  it("is not ordered for a wildcard, and it is said why", () => {
    expect(whyNotOrdered("*.example.com")).toMatch(/files/);
  });
});
