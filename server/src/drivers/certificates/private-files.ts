import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";

/** Files that only the account of the server may read, written whole or not at all. */
export interface PrivateFiles {
  /** null when there is none. */
  read(name: string): Promise<string | null>;
  write(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
}

/** In this directory, which is made with mode 0700. */
export function createPrivateFiles(directory: string): PrivateFiles {
  const locate = (name: string): string => path.join(directory, name);
  return {
    read: (name) =>
      readFile(locate(name), "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      }),
    async write(name, text) {
      const file = locate(name);
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      const handle = await open(`${file}.new`, "w", 0o600);
      try {
        await handle.chmod(0o600);
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(`${file}.new`, file);
    },
    remove: (name) => rm(locate(name), { force: true }),
  };
}
