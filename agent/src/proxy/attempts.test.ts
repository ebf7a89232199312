import { describe, expect, it } from "vitest";
import { mayRepeat } from "./attempts.ts";
import { FAILURES } from "./problem.ts";

const FIRST = { attempts: 1, method: "GET", hasBody: false, hasFirstByte: false, isRepeated: false };

describe("an attempt that failed", () => {
  it.each(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])("of %s is repeated", (method) => {
    expect(mayRepeat(FAILURES.reset, { ...FIRST, method })).toBe(true);
    expect(mayRepeat(FAILURES.drainCut, { ...FIRST, method })).toBe(true);
  });

  it.each([
    ["is not idempotent", { method: "POST" }],
    ["has a method nobody knows", { method: "PURGE" }],
    ["had a body, which is used up", { method: "PUT", hasBody: true }],
    ["has got a byte of an answer", { hasFirstByte: true }],
    ["was repeated before", { isRepeated: true, attempts: 2 }],
  ])("is not repeated when the request %s", (_why, facts) => {
    expect(mayRepeat(FAILURES.reset, { ...FIRST, ...facts })).toBe(false);
  });

  it.each([FAILURES.timeout, FAILURES.protocol])("is not repeated after $error", (failure) => {
    expect(mayRepeat(failure, FIRST)).toBe(false);
  });

  it.each([FAILURES.refused, FAILURES.connectTimeout])(
    "that never was sent ($error) goes elsewhere whatever it is, to three instances in all",
    (failure) => {
      const anything = { ...FIRST, method: "POST", hasBody: true };
      expect([1, 2, 3].map((attempts) => mayRepeat(failure, { ...anything, attempts }))).toEqual([
        true,
        true,
        false,
      ]);
    },
  );
});
