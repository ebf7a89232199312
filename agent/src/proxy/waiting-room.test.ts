import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createWaitingRoom } from "./waiting-room.ts";

describe("the waiting room", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const nowMs = () => Date.now();

  function waiting(forMs: number) {
    return { untilMs: nowMs() + forMs, retry: vi.fn(), expire: vi.fn() };
  }

  it("lets one of each service try at a time", () => {
    const room = createWaitingRoom({ limit: 10, nowMs });
    const [a, b, other] = [waiting(1000), waiting(1000), waiting(1000)];
    room.enter("shop", a);
    room.enter("shop", b);
    room.enter("site", other);
    vi.advanceTimersByTime(100);
    expect([a, b, other].map((each) => each.retry.mock.calls.length)).toEqual([1, 0, 1]);
    vi.advanceTimersByTime(100);
    expect(b.retry).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("lets all of a service try once one of them has got through", () => {
    const room = createWaitingRoom({ limit: 10, nowMs });
    const [a, b, other] = [waiting(1000), waiting(1000), waiting(1000)];
    room.enter("shop", a);
    room.enter("shop", b);
    room.enter("site", other);
    room.open("shop");
    expect([a, b, other].map((each) => each.retry.mock.calls.length)).toEqual([1, 1, 0]);
    room.leave("site", other);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sends away whose time is over, and takes no more than its limit", () => {
    const room = createWaitingRoom({ limit: 2, nowMs });
    const [first, late, extra] = [waiting(1000), waiting(50), waiting(1000)];
    expect([first, late, extra].map((each) => room.enter("shop", each))).toEqual([true, true, false]);
    vi.advanceTimersByTime(100);
    expect([late.expire.mock.calls.length, late.retry.mock.calls.length]).toEqual([1, 0]);
    expect(room.enter("shop", extra)).toBe(true);
  });

  it("lets one that waits alone, and goes on waiting, try once a tick", () => {
    const room = createWaitingRoom({ limit: 10, nowMs });
    const alone = waiting(1000);
    // Bounded, so that a room that asks it again within the tick fails this test instead of never ending it.
    alone.retry.mockImplementation(() => {
      if (alone.retry.mock.calls.length < 5) room.enter("shop", alone);
    });
    room.enter("shop", alone);
    vi.advanceTimersByTime(100);
    expect(alone.retry).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(100);
    expect(alone.retry).toHaveBeenCalledTimes(2);
  });
});
