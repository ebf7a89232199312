import type { JournalEntry } from "@mainstay/api";
import { open, truncate } from "node:fs/promises";
import { readText } from "../system/durable-file.ts";

export interface Journal {
  /** Resolves once the entry is on the disk. */
  append(entry: Omit<JournalEntry, "seq" | "at">): Promise<JournalEntry>;
  after(seq: number): JournalEntry[];
}

/**
 * The acts the agent took by itself, one JSON document a line; an unfinished last line of a crash is dropped.
 */
export async function openJournal(path: string, now: () => Date): Promise<Journal> {
  const text = (await readText(path)) ?? "";
  const complete = text.slice(0, text.lastIndexOf("\n") + 1);
  if (complete.length < text.length) await truncate(path, Buffer.byteLength(complete));
  const entries = complete
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as JournalEntry);

  return {
    async append(entry) {
      const full = { seq: (entries.at(-1)?.seq ?? 0) + 1, at: now().toISOString(), ...entry };
      entries.push(full);
      await using file = await open(path, "a", 0o600);
      await file.appendFile(`${JSON.stringify(full)}\n`);
      await file.sync();
      return full;
    },
    after: (seq) => entries.filter((each) => each.seq > seq),
  };
}
