import { desiredState, type DesiredState } from "@mainstay/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findShapeError, isDesiredState } from "./desired-shape.ts";

const COMPLETE: DesiredState = {
  generation: 3,
  leaseTtlMs: 10_000,
  instances: [
    {
      id: "ins_1",
      service: "shop",
      environment: "production",
      process: "web",
      release: "rel_1",
      directory: "/srv/shop",
      command: "node server.js",
      env: { NODE_ENV: "production" },
      port: "auto",
      health: { path: "/healthz", intervalMs: 1000, timeoutMs: 2000 },
      stopTimeoutMs: 10_000,
      logDirectory: "/srv/log",
      container: { image: `registry.example/shop@sha256:${"0".repeat(64)}`, port: 8080 },
    },
  ],
  services: [
    {
      service: "shop",
      environment: "production",
      routes: [{ host: null, path: "/" }],
      change: null,
      assignmentHeader: null,
      weight: 0,
      proven: 0,
      stable: { release: "rel_1", instances: ["ins_1"] },
      candidate: null,
      requestTimeoutMs: 30_000,
      drainTimeoutMs: 30_000,
      connections: { balance: "round-robin", weights: [2], drainTimeoutMs: 1000, holdTimeoutMs: 0 },
      maintenance: { retryAfterMs: 1000 },
    },
  ],
};

/** Every path of a value, to whatever depth. */
function pathsOf(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
  return [path, ...[...keys].flatMap((key) => pathsOf(Reflect.get(value, key), [...path, key]))];
}

/** A copy with one place replaced; undefined removes it. */
function replaced(value: unknown, [key, ...rest]: (string | number)[], by: unknown): unknown {
  if (key === undefined) return by;
  const copy: Record<string | number, unknown> | unknown[] = Array.isArray(value)
    ? [...value]
    : { ...Object(value) };
  Reflect.set(copy, key, replaced(Reflect.get(copy, key), rest, by));
  if (Reflect.get(copy, key) === undefined) Reflect.deleteProperty(copy, key);
  return copy;
}

describe("the shape of a desired state", () => {
  it("is accepted when it is complete", () => {
    expect([findShapeError(COMPLETE), isDesiredState(COMPLETE)]).toEqual([null, true]);
  });

  it("is refused with the place and the reason", () => {
    expect(findShapeError(replaced(COMPLETE, ["instances", 0, "health", "intervalMs"], 0))).toBe(
      "desired.instances[0].health.intervalMs: expected a whole number from 1 to 9007199254740991",
    );
    expect(findShapeError(replaced(COMPLETE, ["services", 0, "wait"], 1))).toBe(
      "desired.services[0].wait: unknown key",
    );
    expect(findShapeError("nothing")).toBe("desired: expected an object");
  });

  it("is judged as the schema of the protocol judges it, whatever stands anywhere in it", () => {
    const anything = fc.oneof(
      fc.constantFrom(undefined, null, "auto", "", 0, 1, -1, 1.5, 10_000, 10_001, true, [], {}),
      fc.jsonValue(),
    );
    const path = fc.constantFrom(
      ...pathsOf(COMPLETE),
      ["more"],
      ["services", 0, "more"],
      ["instances", 0, "health", "more"],
    );
    fc.assert(
      fc.property(path, anything, (place, value) => {
        const altered = JSON.parse(JSON.stringify(replaced(COMPLETE, place, value) ?? null)) as unknown;
        expect(isDesiredState(altered)).toBe(desiredState.safeParse(altered).success);
      }),
      { numRuns: 2000 },
    );
  });
});
