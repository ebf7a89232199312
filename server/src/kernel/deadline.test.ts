import { describe, expect, it } from "vitest";
import { createVirtualClock } from "./clock.ts";
import { DeadlineError, withDeadline } from "./deadline.ts";

const never = new Promise<never>(() => {});

describe("a deadline", () => {
  it("hands on what is done in time", async () => {
    const clock = createVirtualClock();
    expect(await withDeadline({ clock, ms: 10 }, Promise.resolve("done"))).toBe("done");
    await expect(withDeadline({ clock, ms: 10 }, Promise.reject(new Error("broken")))).rejects.toThrow(
      "broken",
    );
    await clock.advance(100);
  });

  it("ends the wait for what takes longer", async () => {
    const clock = createVirtualClock();
    const waited = expect(withDeadline({ clock, ms: 10 }, never)).rejects.toThrow(DeadlineError);
    await clock.advance(10);
    await waited;
  });
});
