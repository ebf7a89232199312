import { describe, expect, it } from "vitest";
import { assessLogin, distanceKm, type LoginFacts, type PastLogin } from "./risk.ts";

const BERLIN = { latitude: 52.52, longitude: 13.4 };
const SYDNEY = { latitude: -33.87, longitude: 151.21 };
const NOON = new Date("2026-11-18T12:00:00Z");
const past = (facts: Partial<PastLogin> = {}): PastLogin => ({
  at: new Date(NOON.getTime() - 3_600_000),
  device: "dev_1",
  network: "192.0.2.0/24",
  agent: "Firefox on Linux",
  place: BERLIN,
  ...facts,
});
const now = (facts: Partial<LoginFacts> = {}): LoginFacts => ({
  ...past(),
  at: NOON,
  history: [past()],
  accountFailures: 0,
  addressFailures: 0,
  ...facts,
});

describe("the risk of a login", () => {
  it("is none for what is as always, and for the first login of all", () => {
    expect(assessLogin(now())).toEqual({ decision: "allow", reasons: [], score: 0 });
    const first = { history: [], device: null, network: "198.51.100.0/24", agent: "curl" };
    expect(assessLogin(now(first)).decision).toBe("allow");
  });

  it.each<[Partial<LoginFacts>, string, string]>([
    [{ network: "198.51.100.0/24" }, "allow", "new-network"],
    [{ agent: "Chrome on Windows" }, "allow", "agent-change"],
    [{ device: null }, "step-up", "new-device"],
    [{ device: "dev_2" }, "step-up", "new-device"],
    [{ accountFailures: 3 }, "step-up", "account-failures"],
    [{ addressFailures: 3 }, "step-up", "address-failures"],
    [{ place: SYDNEY }, "step-up", "impossible-travel"],
  ])("of %j is %s, because of %s", (facts, decision, reason) => {
    expect(assessLogin(now(facts))).toMatchObject({ decision, reasons: [reason] });
  });

  it("refuses a new device in a new network that is too far away", () => {
    const facts = { place: SYDNEY, device: null, network: "198.51.100.0/24" };
    expect(assessLogin(now(facts))).toMatchObject({ decision: "deny", score: 7 });
  });

  it("knows that a journey takes time", () => {
    const dayBefore = past({ at: new Date(NOON.getTime() - 24 * 3_600_000) });
    expect(assessLogin(now({ place: SYDNEY, history: [dayBefore] })).reasons).toEqual([]);
    expect(Math.round(distanceKm(BERLIN, SYDNEY) / 100)).toBe(161);
  });

  it("notices an hour of the week without logins, once there are habits", () => {
    const week = 7 * 24 * 3_600_000;
    const habits = Array.from({ length: 20 }, (_, back) => past({ at: new Date(NOON.getTime() - (back + 1) * week) }));
    expect(assessLogin(now({ history: habits })).reasons).toEqual([]);
    const night = new Date("2026-11-18T03:00:00Z");
    expect(assessLogin(now({ history: habits, at: night })).reasons).toEqual(["rare-hour"]);
    expect(assessLogin(now({ history: habits.slice(1), at: night })).reasons).toEqual([]);
  });
});
