import { constants } from "node:fs";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

export interface SavedFile {
  /** Replaces the content; resolves once this content, or a newer one, is on the disk. */
  save(text: string): Promise<void>;
}

/** A file that always holds the newest saved content; saves that overtake each other are written as one. */
export function createSavedFile(path: string): SavedFile {
  let waiting: string | null = null;
  let writing: Promise<void> | null = null;

  async function writeAll(): Promise<void> {
    try {
      while (waiting !== null) {
        const text = waiting;
        waiting = null;
        await writeDurably(path, text);
      }
    } finally {
      writing = null;
    }
  }

  return {
    save(text) {
      waiting = text;
      writing ??= writeAll();
      return writing;
    },
  };
}

/**
 * Replaces a file so that a crash at any moment leaves
 * the old or the new content, never a mixture. Mode 0600.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Makes a directory that only this account may enter. */
export async function makePrivateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
}

/** The text of a file; null when there is no such file. */
export async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
