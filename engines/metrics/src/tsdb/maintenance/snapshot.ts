import { basename, join } from "node:path";
import { listNames, readFile, syncDirectory, writeFile, type Disk } from "../disk.ts";
import { oldestMs } from "../head/head.ts";
import { StoreError } from "../store-error.ts";
import type { StoreState } from "../store-state.ts";
import { writeHeadBlock } from "./cut.ts";

/** Makes a directory that can be opened as a store: links to the blocks, and the head as one more. */
export async function writeSnapshot(state: StoreState, directory: string): Promise<void> {
  const { disk } = state.settings;
  if (disk.existsSync(directory)) throw new StoreError("malformed", `${directory} is there already`);
  const blocks = join(directory, "blocks");
  disk.mkdirSync(blocks, { recursive: true });
  const fromMs = oldestMs(state.head);
  if (fromMs !== Infinity) {
    await writeHeadBlock(state, { directory: blocks, fromMs, beforeMs: state.head.maxMs + 1 });
  }
  for (const block of state.blocks.all())
    copyBlock(disk, block.directory, join(blocks, basename(block.directory)));
  syncDirectory(disk, blocks);
}

/** Files of a block are replaced, never altered: another name for the same bytes is a copy. */
function copyBlock(disk: Disk, from: string, to: string): void {
  disk.mkdirSync(to, { recursive: true });
  for (const name of listNames(disk, from)) linkOrCopy(disk, join(from, name), join(to, name));
  syncDirectory(disk, to);
}

function linkOrCopy(disk: Disk, from: string, to: string): void {
  try {
    disk.linkSync(from, to);
  } catch (cause) {
    const isElsewhere = cause instanceof Error && "code" in cause && cause.code === "EXDEV";
    if (!isElsewhere) throw cause;
    writeFile(disk, to, readFile(disk, from));
  }
}
