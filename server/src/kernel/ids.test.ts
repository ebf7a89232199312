import { createHash, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createVirtualClock } from "./clock.ts";
import { createIds, type Random } from "./ids.ts";

const START_MS = Date.UTC(2026, 0, 1);

function seededRandom(seed: number): Random {
  let count = 0;
  return (sizeBytes) =>
    createHash("shake256", { outputLength: sizeBytes }).update(`${seed}:${count++}`).digest();
}

describe("ids", () => {
  it("are a prefix and a UUIDv7 in 32 lower-case hexadecimal digits", () => {
    const ids = createIds({ clock: createVirtualClock(START_MS), random: randomBytes });
    expect(ids.next("chg")).toMatch(/^chg_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  it("carry the time of their making", () => {
    const ids = createIds({ clock: createVirtualClock(START_MS), random: randomBytes });
    expect(Number.parseInt(ids.next("rel").slice(4, 16), 16)).toBe(START_MS);
  });

  it("rise strictly, whatever the clock does and whatever the random bytes are", () => {
    const steps = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(steps, fc.integer(), (stepsMs, seed) => {
        let nowMs = START_MS;
        const clock = { ...createVirtualClock(), now: () => new Date(nowMs) };
        const ids = createIds({ clock, random: seededRandom(seed) });
        const made = stepsMs.map((stepMs) => {
          nowMs += stepMs;
          return ids.next("x");
        });
        expect(made.toSorted()).toEqual(made);
        expect(new Set(made).size).toBe(made.length);
      }),
    );
  });

  it("keep their form where the random bytes carry from one part into the other", () => {
    const clock = createVirtualClock(START_MS);
    const ids = createIds({ clock, random: (sizeBytes) => new Uint8Array(sizeBytes).fill(0xff) });
    const made = Array.from({ length: 3 }, () => ids.next("x"));
    expect(made.toSorted()).toEqual(made);
    for (const id of made) expect(id).toMatch(/^x_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  });

  it("made in one millisecond by two processes differ", () => {
    const clock = createVirtualClock(START_MS);
    const [one, other] = [
      createIds({ clock, random: randomBytes }),
      createIds({ clock, random: randomBytes }),
    ];
    const made = Array.from({ length: 1_000 }, () => [one.next("x"), other.next("x")]).flat();
    expect(new Set(made).size).toBe(2_000);
  });
});
