import { describe, expect, it } from "vitest";
import { judgeProbe, READY_AFTER_PASSES, UNKNOWN_HEALTH, type Health } from "./health.ts";

function after(
  outcomes: (string | null)[],
  from: Health = UNKNOWN_HEALTH,
  readyAfter = READY_AFTER_PASSES,
): Health {
  return outcomes.reduce((health, outcome) => judgeProbe(health, outcome, readyAfter), from);
}

describe("the health of an instance", () => {
  it("is ready after three passes in a row", () => {
    expect(after([null, null])).toMatchObject({ state: "starting", passes: 2 });
    expect(after([null, null, "late", null, null])).toMatchObject({ state: "starting", passes: 2 });
    expect(after([null, null, null])).toMatchObject({ state: "ready", passes: 3, lastError: null });
  });

  it("stays starting, and says why, until it was ready once", () => {
    expect(after(["a", "b", "c", "d"])).toMatchObject({ state: "starting", passes: 0, lastError: "d" });
  });

  it("is unready after three failures in a row, and not before", () => {
    const ready = after([null, null, null]);
    expect(after(["a", "b"], ready)).toMatchObject({ state: "ready", passes: 0 });
    expect(after(["a", "b", null, "a", "b"], ready)).toMatchObject({ state: "ready" });
    expect(after(["a", "b", "c"], ready)).toMatchObject({ state: "unready", lastError: "c" });
  });

  it("recovers the way it began", () => {
    const unready = after(["a", "b", "c"], after([null, null, null]));
    expect(after([null, null], unready).state).toBe("unready");
    expect(after([null, null, null], unready).state).toBe("ready");
  });

  it("is ready at once where one pass is enough", () => {
    expect(after([null], UNKNOWN_HEALTH, 1).state).toBe("ready");
  });
});
