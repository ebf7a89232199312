import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import type { LogStore } from "@mainstay/tlog";

/** The files of the log in a folder of this machine; what was written survives a loss of power. */
export function createLogFiles(folder: string): LogStore {
  return {
    async read(name) {
      try {
        return await readFile(path.join(folder, name));
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    },
    async write(name, bytes) {
      const file = path.join(folder, name);
      await makeFolder(path.dirname(file));
      await writeDurably(file, bytes, 0o640);
    },
    removeFolder: (name) => rm(path.join(folder, name), { recursive: true, force: true }),
  };
}

/** Whole or not at all: written beside its place, synced, renamed, and the folder synced. */
export async function writeDurably(file: string, bytes: Uint8Array | string, mode: number): Promise<void> {
  const partial = `${file}.new`;
  const handle = await open(partial, "w", mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
  await syncFolder(path.dirname(file));
}

/** Makes the folder and those above it, and sees to it that they last. */
export async function makeFolder(folder: string, mode = 0o750): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined) return;
  for (let each = folder; each.length >= first.length; each = path.dirname(each)) {
    await syncFolder(path.dirname(each));
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
