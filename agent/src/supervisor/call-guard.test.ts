import { createSigningKey } from "@mainstay/token";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCallGuard, type CallGuard } from "./call-guard.ts";

const NOW_MS = Date.parse("2026-11-01T12:00:00Z");
const key = createSigningKey(Buffer.alloc(32, 1));
const newer = createSigningKey(Buffer.alloc(32, 2));
const NOW = NOW_MS / 1000;
const claims = {
  ...{ iss: "urn:mainstay", aud: "agent", sub: "system:mainstay", jti: "tok_1" },
  ...{ iat: NOW, nbf: NOW, exp: NOW + 60 },
};

describe("the guard of the agent's calls", () => {
  let directory: string;
  let file: string;
  let nowMs = NOW_MS;
  let guard: CallGuard;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "guard-"));
    file = join(directory, "trusted-keys.json");
    nowMs = NOW_MS;
    guard = createCallGuard({ file, nowMs: () => nowMs });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function trust(...keys: (typeof key)[]): void {
    const text = JSON.stringify({ issuer: "urn:mainstay", keys: keys.map(({ jwk }) => jwk) });
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }

  it("lets every call in before a server has left its keys, so that either may be upgraded first", () => {
    expect(guard(undefined)).toBe(null);
    expect(guard("Bearer whatever")).toBe(null);
  });

  it("lets in what the server signed, and nothing else from then on", () => {
    trust(key);
    expect(guard(`Bearer ${key.sign(claims)}`)).toBe(null);
    expect(guard(undefined)).toContain("a call without a token");
    expect(guard("")).toContain("a call without a token");
    expect(guard(`Basic ${key.sign(claims)}`)).toContain("a call without a token");
    expect(guard(`Bearer ${newer.sign(claims)}`)).toContain("its key is not known");
    expect(guard(`Bearer ${key.sign({ ...claims, aud: "realtime" })}`)).toContain("another audience");
    expect(guard(`Bearer ${key.sign({ ...claims, iss: "urn:other" })}`)).toContain("another issuer");
    expect(guard(`Bearer ${key.sign({ ...claims, exp: NOW + 301 })}`)).toContain("live too long");
  });

  it("refuses a token that was kept for later", () => {
    trust(key);
    const kept = `Bearer ${key.sign(claims)}`;
    nowMs += 60_000;
    expect(guard(kept)).toContain("it has expired");
  });

  it("follows the server to other keys without being started anew", () => {
    trust(key);
    expect(guard(`Bearer ${key.sign(claims)}`)).toBe(null);
    trust(key, newer);
    expect(guard(`Bearer ${newer.sign(claims)}`)).toBe(null);
    trust(newer);
    expect(guard(`Bearer ${key.sign(claims)}`)).toContain("its key is not known");
  });

  it("refuses everything while the file of keys is damaged", () => {
    writeFileSync(file, "{");
    expect(guard(`Bearer ${key.sign(claims)}`)).toContain("is damaged");
    expect(guard(undefined)).toContain("is damaged");
  });
});
