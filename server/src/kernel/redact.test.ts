import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanForLog, isSecretName, maskSecrets } from "./redact.ts";

describe("names of secrets", () => {
  it.each([
    "authorization",
    "Proxy-Authorization",
    "set-cookie",
    "password",
    "PGPASSWORD",
    "passwd",
    "accessToken",
    "refresh_token",
    "tokenid",
    "clientSecret",
    "AWS_SECRET_ACCESS_KEY",
    "key",
    "apikey",
    "x-api-key",
    "privateKey",
    "SENTRY_DSN",
  ])("%s holds a secret", (name) => {
    expect(isSecretName(name)).toBe(true);
  });

  it.each([
    "tokenId",
    "secretNames",
    "SECRET_FILE",
    "key-file",
    "publicKey",
    "monkeyBusiness",
    "port",
    "passes",
    "author",
  ])("%s holds none", (name) => {
    expect(isSecretName(name)).toBe(false);
  });
});

describe("secrets inside texts", () => {
  it.each([
    ["postgres://app:hunter2@db/shop", "postgres://app:***@db/shop"],
    ["connect to redis://:hunter2@h:1 failed", "connect to redis://:***@h:1 failed"],
    ["host=db password='hunter 2' user=app", "host=db password=*** user=app"],
    ["GET /x?access_token=hunter2&page=1", "GET /x?access_token=***&page=1"],
    ["authorization: Bearer hunter2.x-y", "authorization: Bearer ***"],
    ["mk_abcd1234_hunter2hunter2", "mk_abcd1234_***"],
    [
      "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
      "-----BEGIN RSA PRIVATE KEY----- ***",
    ],
    ["-----BEGIN PRIVATE KEY-----\nhunter2 cut off", "-----BEGIN PRIVATE KEY----- ***"],
  ])("%s", (text, masked) => {
    expect(maskSecrets(text)).toBe(masked);
  });

  it("leaves a text without secrets as it is", () => {
    const text = "GET http://127.0.0.1:7700/api/v1/changes?limit=10 took 3 ms";
    expect(maskSecrets(text)).toBe(text);
  });
});

describe("values for the log", () => {
  it("mask a secret at any depth, and only what holds something", () => {
    const value = {
      a: [{ headers: new Map([["authorization", "x"]]) }],
      token: "",
      hasToken: true,
      secret: { pin: 1 },
    };
    expect(cleanForLog(value)).toEqual({
      a: [{ headers: { authorization: "***" } }],
      token: "",
      hasToken: true,
      secret: "***",
    });
  });

  it("show an error with its code, its own fields and its causes", () => {
    const cause = Object.assign(new TypeError("connect password=hunter2"), {
      code: "E1",
      password: "hunter2",
    });
    const cleaned = cleanForLog(new AggregateError([cause], "all failed", { cause }));
    const inner = { type: "TypeError", message: "connect password=***", code: "E1", password: "***" };
    expect(cleaned).toMatchObject({
      type: "AggregateError",
      message: "all failed",
      cause: inner,
      errors: [inner],
    });
    expect(JSON.stringify(cleaned)).not.toContain("hunter2");
  });

  it("say how much they leave out", () => {
    expect(cleanForLog("x".repeat(8_200))).toMatch(/^x{8192}… \(8 more characters\)$/);
    expect(cleanForLog(Array.from({ length: 103 }, () => 0))).toHaveProperty("100", "3 more");
    expect(cleanForLog(Object.fromEntries(Array.from({ length: 103 }, (_, i) => [i, i])))).toHaveProperty(
      "…",
      "3 more",
    );
  });

  it("end where a value contains itself", () => {
    const ring: Record<string, unknown> = {};
    for (const name of "abcdefghij") ring[name] = ring;
    const size = JSON.stringify(cleanForLog(ring)).length;
    expect(size).toBeLessThan(200_000);
  });

  it("keep dates, URLs and bytes short and readable", () => {
    const value = {
      at: new Date(0),
      bad: new Date(NaN),
      url: new URL("http://u:p@h/"),
      raw: Buffer.alloc(3),
      big: 1n,
    };
    expect(cleanForLog(value)).toEqual({
      at: "1970-01-01T00:00:00.000Z",
      bad: "invalid date",
      url: "http://u:***@h/",
      raw: "[3 bytes]",
      big: "1",
    });
  });

  it("are always JSON, and never show what a secret field held", () => {
    const secret = "hunter2hunter2";
    fc.assert(
      fc.property(
        fc.object({ maxDepth: 5 }),
        fc.constantFrom("password", "apiToken", "x-secret"),
        (value, name) => {
          const text = JSON.stringify(cleanForLog({ value, nested: [{ [name]: secret }] }));
          expect(text).not.toContain(secret);
        },
      ),
    );
  });
});

describe("tokens of people", () => {
  it.each(["ms_", "ml_", "mc_", "md_"])("that begin with %s never reach a log", (prefix) => {
    const token = prefix + "aB3_-".repeat(9).slice(0, 43);
    expect(maskSecrets(`link http://localhost:7700/setup#${token} end`)).toBe(
      `link http://localhost:7700/setup#${prefix}*** end`,
    );
  });
});
