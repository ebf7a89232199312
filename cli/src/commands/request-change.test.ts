import { describe, expect, it } from "vitest";
import { requestChange, wishFor, type RequestOptions, type Wish } from "./request-change.ts";

const OPTIONS: RequestOptions = { force: [], waitForLock: false, supersede: false };
const SCALE = { kind: "scale", candidate: "web=3", service: "shop", environment: "production" };

/** Where a wish was sent, and what it said there. */
async function sent(wish: Wish): Promise<{ path: string; body: unknown }[]> {
  const requests: { path: string; body: unknown }[] = [];
  const post = async (path: string, body: unknown) => void requests.push({ path, body });
  // Only its API is asked.
  await requestChange({ api: { post } } as never, wish);
  return requests;
}

describe("a wish for a change", () => {
  it("keeps whose it is, and says no more than was asked for", () => {
    expect(wishFor(SCALE, OPTIONS)).toEqual({
      ...SCALE,
      immediate: false,
      reason: null,
      queue: false,
      supersede: false,
    });
  });

  it("waits behind a change under way when told to", () => {
    const wish = wishFor(SCALE, { ...OPTIONS, waitForLock: true });
    expect(wish).toMatchObject({ queue: true, supersede: false });
  });

  it("is sent where requests go that nothing needs to be overridden for", async () => {
    const wish = wishFor(SCALE, OPTIONS);
    expect(await sent(wish)).toEqual([{ path: "/changes", body: wish }]);
  });

  it.each([
    { force: ["DISK_SPACE"] },
    { overrideFreeze: "the shop is down" },
    { force: ["DISK_SPACE"], overrideFreeze: "the shop is down" },
  ])("is sent where a permission of its own is needed, whole, when it overrides: %o", async (override) => {
    const wish = wishFor(SCALE, { ...OPTIONS, ...override });
    expect(wish).toMatchObject({ ...SCALE, ...override });
    expect(await sent(wish)).toEqual([{ path: "/changes/forced", body: wish }]);
  });
});
