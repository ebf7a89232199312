import { describe, expect, it } from "vitest";
import { createSystemClock, createVirtualClock } from "./clock.ts";

describe("the virtual clock", () => {
  it("stands still until it is advanced", async () => {
    const clock = createVirtualClock(1_000);
    expect([clock.now().getTime(), clock.monotonicMs()]).toEqual([1_000, 1_000]);
    await clock.advance(500);
    expect([clock.now().getTime(), clock.monotonicMs()]).toEqual([1_500, 1_500]);
  });

  it("wakes sleepers in the order of their time, each at its time", async () => {
    const clock = createVirtualClock();
    const woken: [string, number][] = [];
    const sleep = async (name: string, ms: number) => {
      await clock.sleep(ms);
      woken.push([name, clock.monotonicMs()]);
    };
    void sleep("late", 300);
    void sleep("early", 100).then(() => sleep("after early", 100));
    await clock.advance(299);
    expect(woken).toEqual([
      ["early", 100],
      ["after early", 200],
    ]);
    await clock.advance(1);
    expect(woken.at(-1)).toEqual(["late", 300]);
  });

  it("runs a repeated task at a steady rate until it is stopped", async () => {
    const clock = createVirtualClock();
    const ranAt: number[] = [];
    const stop = clock.every(10, () => void ranAt.push(clock.monotonicMs()));
    await clock.advance(35);
    stop();
    await clock.advance(100);
    expect(ranAt).toEqual([10, 20, 30]);
  });

  it("never runs a repeated task twice at once, and leaves missed turns out", async () => {
    const clock = createVirtualClock();
    const ranAt: number[] = [];
    const stop = clock.every(10, async () => {
      ranAt.push(clock.monotonicMs());
      await clock.sleep(25);
    });
    await clock.advance(100);
    stop();
    expect(ranAt).toEqual([10, 35, 60, 85]);
  });
});

describe.each([
  ["the virtual clock", createVirtualClock()],
  ["the system clock", createSystemClock()],
])("%s", (_name, clock) => {
  it("ends a sleep with the reason of the signal", async () => {
    const stop = new AbortController();
    const slept = clock.sleep(60_000, stop.signal);
    stop.abort(new Error("enough"));
    await expect(slept).rejects.toThrow("enough");
  });

  it("does not begin a sleep that was ended before", async () => {
    await expect(clock.sleep(60_000, AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  });
});

describe("the system clock", () => {
  it("sleeps at least as long as told, by a clock that only rises", async () => {
    const clock = createSystemClock();
    const beforeMs = clock.monotonicMs();
    await clock.sleep(5);
    expect(clock.monotonicMs() - beforeMs).toBeGreaterThanOrEqual(4);
  });

  it("keeps a delay that is longer than a timer can hold", async () => {
    const clock = createSystemClock();
    const stop = new AbortController();
    let hasWoken = false;
    const slept = clock.sleep(2 ** 31 + 10, stop.signal).then(
      () => (hasWoken = true),
      () => {},
    );
    await clock.sleep(10);
    expect(hasWoken).toBe(false);
    stop.abort();
    await slept;
  });

  it("repeats a task until it is stopped", async () => {
    const clock = createSystemClock();
    let runs = 0;
    await new Promise<void>((resolve) => {
      const stop = clock.every(1, () => {
        runs += 1;
        if (runs < 3) return;
        stop();
        resolve();
      });
    });
    expect(runs).toBe(3);
  });
});
