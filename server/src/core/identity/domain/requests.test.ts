import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { cookieName, formatCookie, readCookie } from "./cookies.ts";
import { describeCrossSite } from "./cross-site.ts";
import { hashRecoveryCode, looksLikeRecoveryCode, makeRecoveryCodes } from "./recovery-codes.ts";
import { isAlive } from "./session-life.ts";
import { hashToken, isToken, makeToken } from "./tokens.ts";
import { describeUserAgent } from "./user-agent.ts";

describe("a request with a cookie", () => {
  const ask = (headers: Record<string, string>, method = "POST", isByCookie = true) =>
    describeCrossSite({ method, headers: { host: "ops.example.com", ...headers } }, { isByCookie });

  it("must come from this server's own pages", () => {
    expect(ask({ "sec-fetch-site": "same-origin" })).toBe(null);
    expect(ask({ origin: "https://ops.example.com" })).toBe(null);
    for (const site of ["cross-site", "same-site", "none"]) expect(ask({ "sec-fetch-site": site })).not.toBe(null);
    for (const origin of ["https://evil.example", "null", "https://ops.example.com.evil.example", ""])
      expect(ask({ origin })).not.toBe(null);
    expect(ask({})).not.toBe(null);
  });

  it("goes by Fetch Metadata before Origin", () => {
    expect(ask({ "sec-fetch-site": "cross-site", origin: "https://ops.example.com" })).not.toBe(null);
  });

  it("may read, and a program without cookies may say nothing", () => {
    expect(ask({ "sec-fetch-site": "cross-site" }, "GET")).toBe(null);
    expect(ask({}, "POST", false)).toBe(null);
    expect(ask({ origin: "https://evil.example" }, "POST", false)).not.toBe(null);
  });
});

describe("cookies", () => {
  it("are bound to the host where HTTPS is, and out of reach of scripts", () => {
    const facts = { name: "s", value: "v", maxAgeMs: 60_000 };
    expect(formatCookie({ ...facts, isSecure: true })).toBe(
      "__Host-s=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
    );
    expect(formatCookie({ ...facts, isSecure: false })).toBe("s=v; Path=/; Max-Age=60; HttpOnly; SameSite=Strict");
    expect(cookieName("s", true)).toBe("__Host-s");
  });

  it("are read by their whole name", () => {
    expect(readCookie("a=1; sess=x; b=2", "sess")).toBe("x");
    expect(readCookie("xsess=1; sess2=2", "sess")).toBe(null);
    expect(readCookie(undefined, "sess")).toBe(null);
    expect(readCookie("sess=a=b", "sess")).toBe("a=b");
  });
});

describe("tokens", () => {
  it("hold 256 random bits, tell what they are, and are stored as a hash", () => {
    const { text, hash } = makeToken(randomBytes, "session");
    expect(text).toMatch(/^ms_[\w-]{43}$/);
    expect(hash).toEqual(hashToken(text));
    expect(isToken("session", text)).toBe(true);
    expect(isToken("link", text)).toBe(false);
    expect(isToken("session", `${text}x`)).toBe(false);
  });

  it("of a session end with its age and with its rest", () => {
    const times = { lastUsedAt: new Date(0), expiresAt: new Date(1_000) };
    expect([999, 1_000].map((nowMs) => isAlive(times, nowMs, 5_000))).toEqual([true, false]);
    expect([499, 500].map((nowMs) => isAlive(times, nowMs, 500))).toEqual([true, false]);
  });
});

describe("recovery codes", () => {
  it("are ten, all different, and read however they are typed", () => {
    const codes = makeRecoveryCodes(randomBytes);
    expect(new Set(codes).size).toBe(10);
    for (const code of codes) {
      expect(code).toMatch(/^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
      expect(looksLikeRecoveryCode(code)).toBe(true);
      expect(hashRecoveryCode(code.toLowerCase().replaceAll("-", " "))).toEqual(hashRecoveryCode(code));
    }
    expect(looksLikeRecoveryCode("123 456")).toBe(false);
  });
});

describe("a device", () => {
  it.each([
    ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
    ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"],
    ["Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"],
    ["Mozilla/5.0 (Macintosh; Mac OS X 15) AppleWebKit/605 Version/26.0 Safari/605", "Safari on macOS"],
    ["mainstay/cli (linux)", "Mainstay CLI on Linux"],
    ["", "an unknown program"],
  ])("is told by a person's words: %s", (header, words) => {
    expect(describeUserAgent(header)).toBe(words);
  });
});
