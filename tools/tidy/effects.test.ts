import { describe, expect, it } from "vitest";
import { checkEffects } from "./effects.ts";
import { repositoryOf } from "./fixture.ts";

const rulesOf = (text: string, path = "agent/src/a.ts") =>
  checkEffects(repositoryOf({ [path]: text })).map((finding) => finding.rule);

describe("effects", () => {
  it.each([
    ["Date.now()", "clock"],
    ["new Date()", "clock"],
    ["performance.now()", "clock"],
    ["process.hrtime.bigint()", "clock"],
    ["const now = Date.now;", "clock"],
    ["Math.random()", "randomness"],
    ["process.env.HOME", "environment"],
    ['process.env["HOME"]', "environment"],
    ["globalThis.process.env", "environment"],
    ["setTimeout(f, 1)", "timer"],
    ["globalThis.setInterval(f, 1)", "timer"],
    ['import { setTimeout as sleep } from "node:timers/promises";', "timer"],
  ])("%s is found as %s", (text, rule) => {
    expect(rulesOf(text)).toEqual([rule]);
  });

  it.each([
    "new Date(0)",
    "clock.now()",
    "clock.setTimeout(f, 1)",
    "socket.setTimeout(5)",
    "Date.UTC(2026, 0)",
  ])("%s is none", (text) => {
    expect(rulesOf(text)).toEqual([]);
  });

  it("are free in tools and benchmarks", () => {
    expect(rulesOf("Date.now(); setTimeout(f, 1)", "bench/proxy/bench.ts")).toEqual([]);
  });

  it("in tests may be anything but sleep", () => {
    expect(rulesOf("Date.now(); setTimeout(f, 1)", "agent/src/a.test.ts")).toEqual(["sleep"]);
    expect(rulesOf("setTimeout(f, 1)", "tests/e2e/deploy.test.ts")).toEqual(["sleep"]);
    expect(rulesOf("setTimeout(f, 1)", "tests/support/hello/server.mjs")).toEqual([]);
  });
});
