import { readFile } from "node:fs/promises";
import path from "node:path";
import { storedEntryOf } from "./audit.ts";
import { leafOf, type StoredEntry } from "./domain/leaf.ts";
import type { AuditLogStore } from "./log-store.ts";
import type { createAuditStore } from "./store.ts";

export interface LeavesDependencies {
  entries: Pick<ReturnType<typeof createAuditStore>, "numbered" | "bounds">;
  log: Pick<AuditLogStore, "archives">;
  archiveFolder: string;
}

export interface Leaves {
  /** Leaves of entries that stand in the database, from the one after an index on, without a gap. */
  after(index: number, limit: number): Promise<Buffer[]>;
  /** Those and the archived ones, from the very first. Throws when an archive is not there. */
  all(limit: number): AsyncIterable<Buffer[]>;
  bounds(): Promise<{ first: number; last: number }>;
}

/** The entries as the log is made of them. */
export function createLeaves({ entries, log, archiveFolder }: LeavesDependencies): Leaves {
  async function after(index: number, limit: number): Promise<Buffer[]> {
    const rows = await entries.numbered({ after: index, limit });
    return rows.map((row, at) => {
      const expected = index + 1 + at;
      if (row.index !== expected) throw new Error(`the database has no entry ${expected}, but later ones`);
      return leafOf(storedEntryOf({ ...row, index: row.index }));
    });
  }

  async function* all(limit: number): AsyncIterable<Buffer[]> {
    let done = 0;
    for (const { file } of await log.archives()) {
      const lines = await readArchive(path.join(archiveFolder, file));
      for (let at = 0; at < lines.length; at += limit) yield lines.slice(at, at + limit).map(leafOf);
      done += lines.length;
    }
    for (let batch = await after(done, limit); batch.length > 0; batch = await after(done, limit)) {
      yield batch;
      done += batch.length;
    }
  }

  async function bounds() {
    const [inDatabase, archives] = [await entries.bounds(), await log.archives()];
    const last = archives.at(-1)?.last_index ?? 0;
    return { first: inDatabase.first || last + 1, last: Math.max(inDatabase.last, last) };
  }

  return { after, all, bounds };
}

/** The entries of an archive, as they stood in the database. */
async function readArchive(file: string): Promise<StoredEntry[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line): StoredEntry => JSON.parse(line));
}
