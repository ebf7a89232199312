import { describe, expect, it } from "vitest";
import { applyExceptions, type Exception } from "./exceptions.ts";

const finding = { rule: "clock", path: "agent/src/main.ts", line: 3, message: "Date.now: take a Clock" };

const exception = (paths: string[], rules = ["clock"]): Exception => ({
  rules,
  paths,
  reason: "it is the clock",
});

describe("exceptions", () => {
  it("excuse the findings of their rules in their files", () => {
    expect(applyExceptions([finding], [exception(["agent/src/main.ts"])])).toEqual({
      findings: [],
      warnings: [],
    });
    expect(applyExceptions([finding], [exception(["agent/src/*.ts"])]).findings).toEqual([]);
  });

  it("excuse nothing else", () => {
    const elsewhere = exception(["agent/src/other.ts"]);
    const otherRule = exception(["agent/src/main.ts"], ["timer"]);
    const otherThing = { ...exception(["agent/src/main.ts"]), about: "performance.now" };
    for (const each of [elsewhere, otherRule, otherThing]) {
      expect(applyExceptions([finding], [each]).findings).toContain(finding);
    }
  });

  it("are findings themselves where nobody needs them", () => {
    const wide = exception(["agent/src/main.ts", "agent/src/gone.ts"], ["clock", "timer"]);
    expect(applyExceptions([finding], [wide]).findings.map((each) => each.message)).toEqual([
      "agent/src/gone.ts needs no exception from clock, timer",
    ]);
  });

  it("stay visible while they are a matter of grace", () => {
    const grace = { ...exception(["agent/src/main.ts"]), grace: true };
    expect(applyExceptions([finding], [grace])).toEqual({ findings: [], warnings: [finding] });
  });
});
