import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullTilePath, isLogPath, tileAt, tilePath } from "./tiles.ts";

describe("the path of a tile", () => {
  it("writes its number in groups of three digits", () => {
    expect(tilePath({ level: 0, index: 0, width: 256 })).toBe("tile/0/000");
    expect(tilePath({ level: 2, index: 999, width: 256 })).toBe("tile/2/999");
    expect(tilePath({ level: 1, index: 1_000, width: 256 })).toBe("tile/1/x001/000");
    expect(tilePath({ level: "entries", index: 1_234_067, width: 256 })).toBe("tile/entries/x001/x234/067");
  });

  it("says how wide a partial tile is", () => {
    const partial = { level: 0, index: 273, width: 112 };
    expect(tilePath(partial)).toBe("tile/0/273.p/112");
    expect(fullTilePath(partial)).toBe("tile/0/273");
  });

  it("is different for each tile, and a path of a log", () => {
    const tile = fc.record({
      level: fc.oneof(fc.constant("entries" as const), fc.integer({ min: 0, max: 6 })),
      index: fc.integer({ min: 0, max: 10_000_000 }),
      width: fc.integer({ min: 1, max: 256 }),
    });
    fc.assert(
      fc.property(tile, tile, (one, other) => {
        expect(isLogPath(tilePath(one))).toBe(true);
        expect(tilePath(one) === tilePath(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });
});

describe("a path of a log", () => {
  it("is the checkpoint, too, and nothing else", () => {
    expect(isLogPath("checkpoint")).toBe(true);
    const others = [
      "",
      "/checkpoint",
      "checkpoint/",
      "tile/0/../../key",
      "tile/0/000.p/256",
      "tile/0/000.p/0",
    ];
    for (const path of [...others, "tile/64/000", "tile/00/000", "tile/0/1", "tile/0/x001", "tile/0/000\n"]) {
      expect(isLogPath(path), path).toBe(false);
    }
  });
});

describe("the tile that holds a hash", () => {
  it("is as wide as the log of 70,000 entries of the specification has them", () => {
    expect(tileAt(0, 69_999, 70_000)).toEqual({ level: 0, index: 273, width: 112 });
    expect(tileAt("entries", 69_999, 70_000)).toEqual({ level: "entries", index: 273, width: 112 });
    expect(tileAt(0, 255, 70_000)).toEqual({ level: 0, index: 0, width: 256 });
    expect(tileAt(1, 272, 70_000)).toEqual({ level: 1, index: 1, width: 17 });
    expect(tileAt(2, 0, 70_000)).toEqual({ level: 2, index: 0, width: 1 });
  });
});
