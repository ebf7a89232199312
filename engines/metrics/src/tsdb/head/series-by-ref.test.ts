import { describe, expect, it } from "vitest";
import { NO_LABELS } from "../../labels.ts";
import { createHeadSeries } from "./head-series.ts";
import { SeriesByRef } from "./series-by-ref.ts";

const series = (ref: number) => createHeadSeries(ref, NO_LABELS);

describe("series by reference", () => {
  it("are found, told one by one, and taken out, however far apart", () => {
    const all = new SeriesByRef();
    const refs = [1, 2, 255, 256, 5_000_000_000];
    expect(all.get(256)).toBeUndefined();
    for (const ref of refs) all.add(series(ref));
    expect(refs.map((ref) => all.get(ref)?.ref)).toEqual(refs);
    expect([0, 3, 257, 4_999_999_999].map((ref) => all.has(ref))).toEqual([false, false, false, false]);
    expect([...all.values()].map(({ ref }) => ref)).toEqual(refs);
    all.delete(256);
    all.delete(2);
    all.delete(2);
    expect(all.size).toBe(3);
    expect([...all.values()].map(({ ref }) => ref)).toEqual([1, 255, 5_000_000_000]);
    all.add(series(256));
    expect(all.get(256)?.ref).toBe(256);
  });

  it("can be taken out while they are told", () => {
    const all = new SeriesByRef();
    for (let ref = 1; ref <= 600; ref++) all.add(series(ref));
    for (const { ref } of all.values()) if (ref % 3 !== 0) all.delete(ref);
    expect(all.size).toBe(200);
    expect([...all.values()].every(({ ref }) => ref % 3 === 0)).toBe(true);
  });
});
