/** Hashes of a full tile, entries of a full bundle (https://c2sp.org/tlog-tiles). */
export const TILE_WIDTH = 256;
/** Levels of the tree that one level of tiles spans. */
export const TILE_HEIGHT = 8;

export const CHECKPOINT_PATH = "checkpoint";

/** A file of the log: hashes of one level, or the entries themselves. Partial when narrower than 256. */
export interface Tile {
  level: number | "entries";
  index: number;
  width: number;
}

const WIDTH = "([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5])";
const LEVEL = "(entries|[0-9]|[1-5][0-9]|6[0-3])";
const LOG_PATH = new RegExp(`^(${CHECKPOINT_PATH}|tile/${LEVEL}/(x[0-9]{3}/){0,5}[0-9]{3}(\\.p/${WIDTH})?)$`);

/** `tile/<L>/<N>[.p/<W>]`, where N is written in groups of three digits: 1234067 is `x001/x234/067`. */
export function tilePath(tile: Tile): string {
  const path = fullTilePath(tile);
  return tile.width === TILE_WIDTH ? path : `${path}.p/${tile.width}`;
}

/** Where the tile lies once it is full. */
export function fullTilePath({ level, index }: Tile): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  return `tile/${level}/${groups.replace(/[0-9]{3}(?=[0-9])/g, "x$&/")}`;
}

/** The folder of what the tile was while it was partial. */
export function partialsFolder(tile: Tile): string {
  return `${fullTilePath(tile)}.p`;
}

/** Whether a log has files at such a path; nothing else may be read from a store on behalf of others. */
export function isLogPath(path: string): boolean {
  return LOG_PATH.test(path);
}

/** Which tile of a log of `size` entries holds this hash (or entry) of a level of tiles. */
export function tileAt(level: number | "entries", position: number, size: number): Tile {
  const index = Math.floor(position / TILE_WIDTH);
  const hashes = Math.floor(size / TILE_WIDTH ** (level === "entries" ? 0 : level));
  return { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
}
