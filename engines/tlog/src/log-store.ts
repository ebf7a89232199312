import { decodeEntries } from "./entry-bundle.ts";
import { HASH_BYTES, type Hash } from "./hash.ts";
import { LogError } from "./log-error.ts";
import { tilePath, TILE_WIDTH, type Tile } from "./tiles.ts";

/** Where the files of a log lie, to be read: a directory, a web server. */
export interface LogSource {
  /** Null when there is no such file. */
  read(path: string): Promise<Uint8Array | null>;
}

/** Where they lie to be written. */
export interface LogStore extends LogSource {
  /** Replaces the file as a whole; what was written survives a loss of power once the promise resolves. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Removes a folder and all that is in it; nothing happens when it does not exist. */
  removeFolder(path: string): Promise<void>;
}

/** The hashes of a tile, in order. */
export async function readHashes(source: LogSource, tile: Tile): Promise<Hash[]> {
  const { bytes, path, width } = await readTile(source, tile);
  if (bytes.length !== width * HASH_BYTES) {
    throw new LogError("malformed", `${path} has ${bytes.length} bytes instead of ${width * HASH_BYTES}`);
  }
  return Array.from({ length: tile.width }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

/** The entries of a bundle, in order. */
export async function readEntries(source: LogSource, bundle: Tile): Promise<Uint8Array[]> {
  const { bytes, path, width } = await readTile(source, bundle);
  const entries = decodeEntries(bytes);
  if (entries.length !== width) {
    throw new LogError("malformed", `${path} holds ${entries.length} entries instead of ${width}`);
  }
  return entries.slice(0, bundle.width);
}

/** A partial tile may have made room for the full one, which begins with it. */
async function readTile(source: LogSource, tile: Tile) {
  for (const each of [tile, { ...tile, width: TILE_WIDTH }]) {
    const path = tilePath(each);
    const bytes = await source.read(path);
    if (bytes !== null) return { bytes, path, width: each.width };
  }
  throw new LogError("missing", `${tilePath(tile)} does not exist`);
}
