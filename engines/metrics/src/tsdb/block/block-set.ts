import { join } from "node:path";
import { CorruptionError } from "../codec/bytes.ts";
import { listNames, removeTree, syncDirectory, type Disk } from "../disk.ts";
import { openBlock, type BlockCaches, type BlockReader } from "./block-reader.ts";

/** A block that could not be read, and was put aside. */
export interface QuarantinedBlock {
  id: string;
  reason: string;
}

/** The sealed blocks of a store, by the beginning of their time. */
export interface BlockSet {
  readonly directory: string;
  all(): readonly BlockReader[];
  /** A name that no block has had. */
  newId(resolutionMs: number, minMs: number): string;
  /** Opens a block that was written, and removes those it replaces. */
  add(id: string): BlockReader | null;
  remove(block: BlockReader): void;
  /** Puts a block that is not what was written out of the way; nobody reads it any more, nothing is lost. */
  quarantine(block: BlockReader, cause: unknown): void;
  quarantined(): readonly QuarantinedBlock[];
  close(): void;
}

interface State {
  disk: Disk;
  directory: string;
  quarantineDirectory: string;
  caches: BlockCaches;
  blocks: BlockReader[];
  quarantined: QuarantinedBlock[];
  nextNumber: number;
}

/** Opens what is there; drafts that were not finished are removed, and blocks that others stand for. */
export function openBlockSet(disk: Disk, storeDirectory: string, caches: BlockCaches): BlockSet {
  const directory = join(storeDirectory, "blocks");
  const quarantineDirectory = join(storeDirectory, "quarantine");
  disk.mkdirSync(directory, { recursive: true });
  const names = listNames(disk, directory);
  const state: State = {
    disk,
    directory,
    quarantineDirectory,
    caches,
    blocks: [],
    quarantined: listNames(disk, quarantineDirectory).map((id) => ({ id, reason: "put aside earlier" })),
    nextNumber: Math.max(0, ...names.map(numberOf)) + 1,
  };
  for (const name of names.filter((each) => each.endsWith(".tmp"))) removeTree(disk, join(directory, name));
  for (const name of names.filter((each) => !each.endsWith(".tmp"))) load(state, name);
  for (const block of [...state.blocks]) removeReplaced(state, block);
  return {
    directory,
    all: () => state.blocks,
    newId: (resolutionMs, minMs) => `${resolutionMs}-${minMs}-${state.nextNumber++}`,
    add: (id) => add(state, id),
    remove: (block) => remove(state, block),
    quarantine: (block, cause) => quarantine(state, block.meta.id, { block, cause }),
    quarantined: () => state.quarantined,
    close: () => {
      for (const block of state.blocks) block.close();
      state.blocks = [];
    },
  };
}

/** The number at the end of an id. */
function numberOf(id: string): number {
  return Number(/-(\d+)(\.tmp)?$/.exec(id)?.[1] ?? 0);
}

function load(state: State, id: string): BlockReader | null {
  try {
    const block = openBlock(state.disk, join(state.directory, id), state.caches);
    state.blocks = [...state.blocks, block].toSorted((a, b) => a.meta.minMs - b.meta.minMs);
    return block;
  } catch (cause) {
    quarantine(state, id, { block: null, cause });
    return null;
  }
}

function add(state: State, id: string): BlockReader | null {
  const block = load(state, id);
  if (block !== null) removeReplaced(state, block);
  return block;
}

function removeReplaced(state: State, block: BlockReader): void {
  const replaced = new Set(block.meta.replaces);
  for (const each of state.blocks.filter((other) => replaced.has(other.meta.id))) remove(state, each);
}

function remove(state: State, block: BlockReader): void {
  forget(state, block);
  removeTree(state.disk, block.directory);
  syncDirectory(state.disk, state.directory);
}

function forget(state: State, block: BlockReader): void {
  state.blocks = state.blocks.filter((each) => each !== block);
  block.close();
}

function quarantine(state: State, id: string, found: { block: BlockReader | null; cause: unknown }): void {
  if (found.block !== null) forget(state, found.block);
  state.disk.mkdirSync(state.quarantineDirectory, { recursive: true });
  state.disk.renameSync(join(state.directory, id), join(state.quarantineDirectory, id));
  syncDirectory(state.disk, state.directory);
  const reason = found.cause instanceof Error ? found.cause.message : String(found.cause);
  state.quarantined.push({ id, reason });
}

/** Whether an error says that a block is not what was written, and not that the reader gave up. */
export function isDamage(cause: unknown): boolean {
  if (cause instanceof CorruptionError || cause instanceof RangeError) return true;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" && /^(ENOENT|EIO|ZSTD_|Z_|ERR_)/.test(code);
}
