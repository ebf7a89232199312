import type { LogStore } from "../log-store.ts";

/** A store whose files a test can look at and tamper with. */
export interface MemoryStore extends LogStore {
  files: Map<string, Uint8Array>;
  /** Every path, in the order in which it was written. */
  written: string[];
}

/** A store in memory, holding these files. */
export function createMemoryStore(files: ReadonlyMap<string, Uint8Array> = new Map()): MemoryStore {
  const store: MemoryStore = {
    files: new Map(files),
    written: [],
    read: async (path) => store.files.get(path) ?? null,
    async write(path, bytes) {
      store.files.set(path, Buffer.from(bytes));
      store.written.push(path);
    },
    async removeFolder(path) {
      for (const each of store.files.keys()) if (each.startsWith(`${path}/`)) store.files.delete(each);
    },
  };
  return store;
}
