import { createCompactRange, hashTree } from "./compact-range.ts";
import type { Hash } from "./hash.ts";
import { TILE_HEIGHT, TILE_WIDTH, type Tile } from "./tiles.ts";

/** A tile and its hashes. */
export interface BuiltTile {
  tile: Tile & { level: number };
  hashes: Hash[];
}

/** Turns leaf hashes into the tiles of a log, in the order in which they fill. */
export interface TileBuilder {
  size(): number;
  /** Adds one leaf; answers the tiles that it filled, from the bottom up. */
  append(leafHash: Hash): BuiltTile[];
  /** The tiles at the right edge that are not full. */
  partials(): BuiltTile[];
  root(): Hash;
}

/** Goes on where a log ends: `edge[level]` are the hashes of its partial tile on that level. */
export function createTileBuilder(edge: readonly (readonly Hash[])[] = []): TileBuilder {
  const pending = edge.map((hashes) => [...hashes]);
  let size = pending.reduce((sum, hashes, level) => sum + hashes.length * TILE_WIDTH ** level, 0);
  return {
    size: () => size,
    append(leafHash) {
      size += 1;
      const filled: BuiltTile[] = [];
      for (let level = 0, hash = leafHash; ; level += 1) {
        const hashes = (pending[level] ??= []);
        hashes.push(hash);
        if (hashes.length < TILE_WIDTH) return filled;
        const index = size / TILE_WIDTH ** (level + 1) - 1;
        filled.push({ tile: { level, index, width: TILE_WIDTH }, hashes });
        pending[level] = [];
        hash = hashTree(hashes);
      }
    },
    partials: () =>
      pending.flatMap((hashes, level) => {
        if (hashes.length === 0) return [];
        const index = Math.floor(size / TILE_WIDTH ** (level + 1));
        return [{ tile: { level, index, width: hashes.length }, hashes: [...hashes] }];
      }),
    root() {
      const range = createCompactRange();
      for (const [level, hashes] of [...pending.entries()].toReversed()) {
        for (const hash of hashes) range.append(hash, level * TILE_HEIGHT);
      }
      return range.root();
    },
  };
}
