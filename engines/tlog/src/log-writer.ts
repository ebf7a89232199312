import { formatCheckpoint, openCheckpoint, type LogTrust, type SignedCheckpoint } from "./checkpoint.ts";
import { encodeEntries, MAX_ENTRY_BYTES } from "./entry-bundle.ts";
import { hashLeaf, isSame, type Hash } from "./hash.ts";
import { LogError } from "./log-error.ts";
import { readEntries, readHashes, type LogStore } from "./log-store.ts";
import { signNote } from "./note.ts";
import type { NoteSigner } from "./note-key.ts";
import { createTileBuilder, type BuiltTile, type TileBuilder } from "./tile-builder.ts";
import { CHECKPOINT_PATH, partialsFolder, TILE_WIDTH, tileAt, tilePath } from "./tiles.ts";

/** Entries in their order, and the index that the first of them has in the log. */
export interface Batch {
  firstIndex: number;
  entries: readonly Uint8Array[];
}

/**
 * The one writer of a log. Two at a time would sign two histories: the caller sees to it that there is one.
 */
export interface LogWriter {
  /**
   * Adds a batch and answers the checkpoint that covers it. What the log holds already is compared instead of
   * added, so a batch may be given again after a crash. Tiles are written
   * first and the checkpoint last: until then nothing has happened.
   */
  append(batch: Batch): Promise<SignedCheckpoint>;
}

export interface LogWriterOptions {
  store: LogStore;
  signer: NoteSigner;
  /** Believes what the signer signs. */
  trust: LogTrust;
}

export const MAX_BATCH_ENTRIES = 65_536;

/** Writes the log in a store, from its first entry on or from where it ends. */
export function createLogWriter({ store, signer, trust }: LogWriterOptions): LogWriter {
  return {
    async append(batch) {
      const current = await readCheckpoint(store, trust);
      const size = current?.size ?? 0;
      checkBatch(batch, size);
      await compareEntries(store, batch, size);
      const added = batch.entries.slice(size - batch.firstIndex);
      if (current !== null && added.length === 0) return current;
      const { builder, head } = await resume(store, current);
      const filled = added.flatMap((entry) => builder.append(hashLeaf(entry)));
      await writeEntries(store, [...head, ...added], builder.size());
      const tiles = [...filled, ...changedPartials(builder, filled)];
      await Promise.all(tiles.map((each) => writeTile(store, each)));
      const next = { origin: trust.origin, size: builder.size(), root: builder.root(), extensions: [] };
      const signed = openCheckpoint(signNote(formatCheckpoint(next), [signer]), { ...trust, quorum: 0 });
      await store.write(CHECKPOINT_PATH, Buffer.from(signed.note));
      await removePartials(store, filled);
      return signed;
    },
  };
}

/** The checkpoint of a store, null when there is none; witnesses sign it later, if at all. */
async function readCheckpoint(store: LogStore, trust: LogTrust): Promise<SignedCheckpoint | null> {
  const note = await store.read(CHECKPOINT_PATH);
  return note === null ? null : openCheckpoint(note, { ...trust, quorum: 0 });
}

function checkBatch({ firstIndex, entries }: Batch, size: number): void {
  if (!Number.isSafeInteger(firstIndex) || firstIndex < 0 || firstIndex > size) {
    throw new LogError("gap", `the log ends at ${size}, a batch from ${firstIndex} on leaves a gap`);
  }
  if (entries.length > MAX_BATCH_ENTRIES) {
    throw new LogError(
      "malformed",
      `a batch has at most ${MAX_BATCH_ENTRIES} entries, got ${entries.length}`,
    );
  }
  const tooLong = entries.findIndex((entry) => entry.length > MAX_ENTRY_BYTES);
  if (tooLong === -1) return;
  const message = `entry ${firstIndex + tooLong} has more than ${MAX_ENTRY_BYTES} bytes: shorten it`;
  throw new LogError("malformed", message);
}

/** What is in the log stays as it is: a batch that says otherwise is refused. */
async function compareEntries(store: LogStore, { firstIndex, entries }: Batch, size: number): Promise<void> {
  let tile: Hash[] = [];
  for (let index = firstIndex; index < Math.min(size, firstIndex + entries.length); index += 1) {
    const isNext = index === firstIndex || index % TILE_WIDTH === 0;
    if (isNext) tile = await readHashes(store, tileAt(0, index, size));
    const [expected, entry] = [tile[index % TILE_WIDTH], entries[index - firstIndex]];
    if (expected === undefined || entry === undefined || !isSame(hashLeaf(entry), expected)) {
      throw new LogError("forked", `the log holds another entry ${index} than the batch`);
    }
  }
}

/**
 * Reads the right edge of the log and the entries of its last bundle, if that is
 * partial. They have to be what was signed: nothing is built on what was altered.
 */
async function resume(store: LogStore, current: SignedCheckpoint | null) {
  const edge: Hash[][] = [];
  const size = current?.size ?? 0;
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const isFull = hashes % TILE_WIDTH === 0;
    edge.push(isFull ? [] : await readHashes(store, tileAt(level, hashes - 1, size)));
  }
  const builder = createTileBuilder(edge);
  const leaves = edge[0] ?? [];
  const head = leaves.length === 0 ? [] : await readEntries(store, tileAt("entries", size - 1, size));
  const root = current?.root ?? builder.root();
  const isSigned = isSame(builder.root(), root);
  if (isSigned && head.every((entry, at) => isSame(hashLeaf(entry), leaves[at] ?? root))) {
    return { builder, head };
  }
  throw new LogError(
    "altered",
    `the last of the ${size} entries are not those that were signed: restore the log`,
  );
}

/** Writes the bundles of these entries, the last of the log, the first of which begins a bundle. */
async function writeEntries(store: LogStore, entries: readonly Uint8Array[], size: number): Promise<void> {
  const writes: Promise<void>[] = [];
  for (let at = 0; at < entries.length; at += TILE_WIDTH) {
    const bundle = tileAt("entries", size - entries.length + at, size);
    writes.push(store.write(tilePath(bundle), encodeEntries(entries.slice(at, at + TILE_WIDTH))));
  }
  await Promise.all(writes);
}

/** A partial tile above the lowest has grown only if one below it was filled. */
function changedPartials(builder: TileBuilder, filled: readonly BuiltTile[]): BuiltTile[] {
  const levels = new Set(filled.map(({ tile }) => tile.level));
  return builder.partials().filter(({ tile }) => tile.level === 0 || levels.has(tile.level - 1));
}

function writeTile(store: LogStore, { tile, hashes }: BuiltTile): Promise<void> {
  return store.write(tilePath(tile), Buffer.concat(hashes));
}

/** Partial tiles may go once the full one is there, and would take most of the space. */
async function removePartials(store: LogStore, filled: readonly BuiltTile[]): Promise<void> {
  for (const { tile } of filled) {
    await store.removeFolder(partialsFolder(tile));
    if (tile.level === 0) await store.removeFolder(partialsFolder({ ...tile, level: "entries" }));
  }
}
