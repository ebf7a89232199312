import { describe, expect, it } from "vitest";
import { applyExceptions, type Exception } from "./exceptions.ts";

const finding = { rule: "clock", path: "agent/src/main.ts", line: 3, message: "Date.now" };
const excuse = (path: string, rule = "clock"): Exception => ({ rule, path, reason: "it is the clock" });

describe("exceptions", () => {
  it("excuse the findings of their rule in their files", () => {
    expect(applyExceptions([finding], [excuse("agent/src/main.ts")])).toEqual({ findings: [], warnings: [] });
    expect(applyExceptions([finding], [excuse("agent/src/*.ts")]).findings).toEqual([]);
  });

  it("excuse nothing else", () => {
    const { findings } = applyExceptions([finding], [excuse("agent/src/*.ts", "timer")]);
    expect(findings).toContain(finding);
  });

  it("are findings themselves once nobody needs them", () => {
    const { findings } = applyExceptions([], [excuse("agent/src/main.ts")]);
    expect(findings).toEqual([
      expect.objectContaining({ rule: "exception", message: "nobody needs clock for agent/src/main.ts" }),
    ]);
  });

  it("stay visible while they are a matter of grace", () => {
    const grace = { ...excuse("agent/src/main.ts"), grace: true };
    expect(applyExceptions([finding], [grace])).toEqual({ findings: [], warnings: [finding] });
  });
});
