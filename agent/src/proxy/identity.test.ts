import { describe, expect, it } from "vitest";
import { createIdentities } from "./identity.ts";

const KEY = Buffer.alloc(32, 7);

describe("identities", () => {
  const identities = createIdentities(KEY);

  it("are read back from the cookie that was set", () => {
    const { id, setCookie } = identities.issue(false);
    const cookie = setCookie.split(";")[0] ?? "";
    expect(identities.read(cookie)).toBe(id);
    expect(identities.read(`a=b; ${cookie}; c=d`)).toBe(id);
    expect(createIdentities(KEY).read(cookie)).toBe(id);
  });

  it("live a year, on every path, out of reach of scripts, and only over TLS where that was used", () => {
    expect(identities.issue(false).setCookie).toMatch(/; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(identities.issue(true).setCookie).toMatch(/; SameSite=Lax; Secure$/);
  });

  it("are different for everybody", () => {
    expect(identities.issue(false).id).not.toBe(identities.issue(false).id);
  });

  it.each([
    ["without a cookie", undefined],
    ["of another name", "other=1"],
    ["whose name only ends like ours", "xmainstay_id=a.b"],
    ["without a signature", "mainstay_id=abc"],
    ["with a short signature", "mainstay_id=abc.AAAA"],
    ["with a wrong signature", "mainstay_id=abc.AAAAAAAAAAAAAAAAAAAAAA"],
    ["with characters that no id has", "mainstay_id=a b.AAAAAAAAAAAAAAAAAAAAAA"],
  ])("are not believed %s", (_what, header) => {
    expect(identities.read(header)).toBeNull();
  });

  it("are not believed when another key has signed them", () => {
    const cookie = createIdentities(Buffer.alloc(32, 8)).issue(false).setCookie.split(";")[0];
    expect(identities.read(cookie)).toBeNull();
  });

  it("are remembered in bounds, and read as before when they are not remembered any more", () => {
    const first = identities.issue(false);
    const cookie = first.setCookie.split(";")[0] ?? "";
    expect(identities.read(cookie)).toBe(first.id);
    for (let count = 0; count < 20_001; count += 1) {
      const { id, setCookie } = identities.issue(false);
      if (identities.read(setCookie) !== id) throw new Error(`${id} was not read back`);
    }
    expect(identities.read(cookie)).toBe(first.id);
  });

  it("are forgotten with their key, remembered or not", () => {
    const cookie = identities.issue(false).setCookie.split(";")[0] ?? "";
    expect(identities.read(cookie)).not.toBeNull();
    expect(createIdentities(Buffer.alloc(32, 9)).read(cookie)).toBeNull();
  });

  it("are not believed when the id was exchanged under its signature", () => {
    const signature = identities.issue(false).setCookie.split(";")[0]?.split(".")[1];
    expect(identities.read(`mainstay_id=someoneelse.${signature}`)).toBeNull();
  });
});
