import { readdirSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";

/** Where figures of this machine are read. */
export interface MachineFiles {
  /** Null: not there, or not ours to read. */
  read(path: string): string | null;
  list(path: string): string[];
  /** Null: not mounted any more. */
  space(mountpoint: string): Promise<Space | null>;
}

export interface Space {
  sizeBytes: number;
  freeBytes: number;
  /** For accounts without privileges. */
  availableBytes: number;
  files: number;
  filesFree: number;
}

/** The kernel's own files: reading them waits for no disk. */
export const MACHINE_FILES: MachineFiles = {
  read(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      // Gone meanwhile, not ours to read, or a kernel that does not have it.
      return null;
    }
  },
  list(path) {
    try {
      return readdirSync(path);
    } catch {
      // As above.
      return [];
    }
  },
  async space(mountpoint) {
    const found = await statfs(mountpoint).catch(() => null);
    if (found === null) return null;
    const { bsize, blocks, bfree, bavail, files, ffree } = found;
    return {
      ...{ sizeBytes: blocks * bsize, freeBytes: bfree * bsize, availableBytes: bavail * bsize },
      ...{ files, filesFree: ffree },
    };
  },
};
