import { describe, expect, it } from "vitest";
import { createCompactRange } from "./compact-range.ts";
import { hashLeaf } from "./hash.ts";
import { createTileBuilder, type BuiltTile } from "./tile-builder.ts";
import { tilePath } from "./tiles.ts";

/** The example of https://c2sp.org/tlog-tiles. */
const SIZE = 70_000;

function buildExample() {
  const [builder, range] = [createTileBuilder(), createCompactRange()];
  const filled: BuiltTile[] = [];
  for (let index = 0; index < SIZE; index += 1) {
    const hash = hashLeaf(Buffer.of(index % 256));
    filled.push(...builder.append(hash));
    range.append(hash);
  }
  return { builder, filled, root: range.root() };
}

const { builder, filled, root } = buildExample();

describe("the tiles of a log of 70,000 entries", () => {
  it("are 273 full ones, one above them, and three partial ones", () => {
    expect(filled.map(({ tile }) => tile.level).filter((level) => level === 0)).toHaveLength(273);
    expect(filled.filter(({ tile }) => tile.level > 0).map(({ tile }) => tilePath(tile))).toEqual([
      "tile/1/000",
    ]);
    const partials = builder.partials().map(({ tile }) => tilePath(tile));
    expect(partials).toEqual(["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
  });

  it("are numbered in the order in which they fill", () => {
    const indices = filled.filter(({ tile }) => tile.level === 0).map(({ tile }) => tile.index);
    expect(indices).toEqual(Array.from({ length: 273 }, (_, index) => index));
  });

  it("have the root of the tree over all entries", () => {
    expect(builder.root()).toEqual(root);
    const edge = builder.partials().map(({ hashes }) => hashes);
    const resumed = createTileBuilder(edge);
    expect(resumed.size()).toBe(SIZE);
    expect(resumed.root()).toEqual(root);
  });
});
