import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { LogStore } from "@mainstay/tlog";

/** The files of a log in a folder that lives as long as the suite runs. */
export function createFolderStore(folder: string): LogStore {
  return {
    read: (path) => readFile(join(folder, path)).catch(() => null),
    async write(path, bytes) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    },
    removeFolder: (path) => rm(join(folder, path), { recursive: true, force: true }),
  };
}
