import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../clock.ts";
import { createDeadlines } from "./deadlines.ts";

function started() {
  const clock = createVirtualClock();
  const expired: string[] = [];
  const deadlines = createDeadlines({ clock, limitMs: 100 });
  return { clock, expired, deadlines, begin: (name: string) => deadlines.begin(() => expired.push(name)) };
}

describe("deadlines", () => {
  it("expire each at its time, in the order they began", async () => {
    const { clock, expired, begin } = started();
    begin("a");
    await clock.advance(40);
    begin("b");
    await clock.advance(59);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(["a"]);
    await clock.advance(40);
    expect(expired).toEqual(["a", "b"]);
  });

  it("do not expire once they are over, and go on for those that follow", async () => {
    const { clock, expired, begin } = started();
    begin("a")();
    const endB = begin("b");
    await clock.advance(90);
    endB();
    begin("c");
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(["c"]);
    begin("d");
    await clock.advance(100);
    expect(expired).toEqual(["c", "d"]);
  });

  it("are over at the end", async () => {
    const { clock, expired, deadlines, begin } = started();
    begin("a");
    await clock.advance(1);
    deadlines.end();
    await clock.advance(1_000);
    expect(expired).toEqual([]);
  });
});
