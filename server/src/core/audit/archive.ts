import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";
import path from "node:path";
import type { ArchiveResult } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import { storedEntryOf, type Audit, type ErasureOrigin } from "./audit.ts";
import { canonicalJson } from "./domain/canonical-json.ts";
import { makeFolder } from "./log-files.ts";
import type { AuditLogStore } from "./log-store.ts";
import type { createAuditStore } from "./store.ts";

export interface ArchiverDependencies {
  db: Database;
  entries: ReturnType<typeof createAuditStore>;
  log: AuditLogStore;
  audit: Audit;
  clock: Clock;
  folder: string;
}

export interface ArchiveRequest {
  before: Date;
  reason: string | null;
  isDryRun: boolean;
}

const FILE_ENTRIES = 50_000;
const BATCH_ENTRIES = 1_000;

/** Moves old entries into files: what is in the log stays in it, and goes on verifying. */
export function createArchiver({ db, entries, log, audit, clock, folder }: ArchiverDependencies) {
  /** Everything that is older than a time and in the log, from the oldest on without a gap. */
  async function span(before: Date): Promise<{ first: number; last: number } | null> {
    const { first, last } = await entries.bounds();
    const young = await entries.firstIndexFrom(before);
    const integrated = (await log.log())?.size ?? 0;
    const end = Math.min(young === null ? last : young - 1, integrated);
    return first > 0 && first <= end ? { first, last: end } : null;
  }

  async function archive(request: ArchiveRequest, origin: ErasureOrigin): Promise<ArchiveResult> {
    const found = await span(request.before);
    const result = {
      dryRun: request.isDryRun,
      entries: found ? found.last - found.first + 1 : 0,
      ...{ first: found?.first ?? null, last: found?.last ?? null },
    };
    const files: ArchiveResult["files"] = [];
    if (found === null || request.isDryRun) return { ...result, files };
    for (let first = found.first; first <= found.last; first += FILE_ENTRIES) {
      const last = Math.min(first + FILE_ENTRIES - 1, found.last);
      const written = await write(first, last);
      await remove({ first, last, ...written }, request.reason, origin);
      files.push({ ...written, entries: last - first + 1 });
    }
    return { ...result, files };
  }

  /** One line of canonical JSON for each entry, as it stood in the database: without personal data. */
  async function write(first: number, last: number): Promise<{ file: string; sha256: string }> {
    await makeFolder(folder);
    const file = `${first}-${last}.jsonl`;
    const digest = createHash("sha256");
    await rm(path.join(folder, file), { force: true });
    const handle = await open(path.join(folder, file), "wx", 0o640);
    try {
      for (let done = first - 1; done < last;) {
        const rows = await entries.numbered({ after: done, limit: Math.min(BATCH_ENTRIES, last - done) });
        const text = rows.map(
          (row) => `${canonicalJson(storedEntryOf({ ...row, index: row.index ?? 0 }))}\n`,
        );
        if (rows.length === 0) throw new Error(`the entries after ${done} are gone`);
        digest.update(text.join(""));
        await handle.writeFile(text.join(""));
        done += rows.length;
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { file, sha256: digest.digest("hex") };
  }

  /**
   * The digest goes into the audit, and with it into the log, in the transaction that removes the entries.
   */
  async function remove(
    written: { first: number; last: number; file: string; sha256: string },
    reason: string | null,
    origin: ErasureOrigin,
  ): Promise<void> {
    const { first, last, file, sha256 } = written;
    await db.transaction().execute(async (tx) => {
      const row = { first_index: first, last_index: last, file, sha256, archived_at: clock.now() };
      const removed = await log.archive(tx, row);
      if (removed !== last - first + 1) throw new Error(`${removed} entries instead of ${last - first + 1}`);
      const resource = { type: "archive", id: file };
      await audit.record(tx, {
        ...origin,
        action: "audit.archived",
        resource,
        after: { ...written },
        reason,
      });
    });
  }

  return { archive };
}
