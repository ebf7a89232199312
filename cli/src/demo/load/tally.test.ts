import { expect, test } from "vitest";
import { createTally } from "./tally.ts";

const ok = { kind: "ok" } as const;

test("every finished request is in exactly one class", () => {
  const tally = createTally();
  for (const kind of ["ok", "ok", "application-error", "refused"] as const)
    tally.finish({ outcome: { kind }, latencyMs: 5, release: null });
  tally.finish({ outcome: { kind: "lost", reason: "reset" }, latencyMs: 5, release: null });
  expect(tally.read()).toMatchObject({
    ok: 2,
    applicationErrors: 1,
    refused: 1,
    lost: 1,
    lostReasons: { reset: 1 },
  });
});

test("answers are counted per release, lost requests belong to none", () => {
  const tally = createTally();
  tally.finish({ outcome: ok, latencyMs: 5, release: "rel_a" });
  tally.finish({ outcome: { kind: "application-error" }, latencyMs: 5, release: "rel_b" });
  tally.finish({ outcome: { kind: "lost", reason: "mainstay:x" }, latencyMs: 5, release: "rel_b" });
  expect(tally.read().byRelease).toEqual({
    rel_a: { answers: 1, applicationErrors: 0 },
    rel_b: { answers: 1, applicationErrors: 1 },
  });
});

test("a lost request says nothing of the latency", () => {
  const tally = createTally();
  tally.finish({ outcome: { kind: "lost", reason: "timeout" }, latencyMs: 10_000, release: null });
  expect(tally.quantileMs(0.95)).toBeNull();
});

test("names that come from outside take a bounded space", () => {
  const tally = createTally();
  for (let index = 0; index < 1000; index++)
    tally.finish({ outcome: ok, latencyMs: 1, release: `rel_${index}` });
  const { byRelease } = tally.read();
  expect(Object.keys(byRelease)).toHaveLength(51);
  expect(byRelease.other?.answers).toBe(950);
});
