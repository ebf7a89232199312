import { describe, expect, it } from "vitest";
import { countBetween, type Counted } from "./arm-counts.ts";

const at = (atMs: number, candidate: [number, number], stable: [number, number] = [0, 0]): Counted => ({
  atMs,
  reading: {
    candidate: { bad: candidate[0], total: candidate[1] },
    stable: { bad: stable[0], total: stable[1] },
  },
});

describe("counts between two readings", () => {
  it("are what came in between, in the group whose turn it is", () => {
    const { block } = countBetween(at(1000, [1, 50], [7, 900]), at(11_000, [3, 60], [8, 1000]), 21);
    expect(block).toMatchObject({ fromMs: 1000, atMs: 11_000 });
    expect(block?.candidate).toMatchObject({ total: { 1: 10 }, bad: { 1: 2 } });
    expect([block?.stable.total[1], block?.stable.bad[1], block?.stable.total[0]]).toEqual([100, 1, 0]);
  });

  it("are none when a counter began anew or counts no whole things", () => {
    expect(countBetween(at(0, [1, 50]), at(1, [0, 10]), 0)).toEqual({ block: null, isKept: false });
    expect(countBetween(at(0, [1, 50]), at(1, [1, 50.5]), 0)).toEqual({ block: null, isKept: false });
    expect(countBetween(at(0, [1, 50]), at(1, [1, Infinity]), 0)).toEqual({ block: null, isKept: false });
  });

  it("wait for the total when the failures were scraped first", () => {
    expect(countBetween(at(0, [1, 50]), at(1, [3, 51]), 0)).toEqual({ block: null, isKept: true });
  });
});
