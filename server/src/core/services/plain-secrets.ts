import { lstat, open, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { Log } from "../../kernel/log.ts";
import type { Audit } from "../audit/index.ts";
import type { Origin } from "../../kernel/http/index.ts";
import type { Secrets, SecretValues } from "./secrets.ts";
import type { Target } from "./store.ts";

/**
 * `<service>.<environment>.env` as people wrote it, or `<service>.<environment>.<release>.env` of a change.
 */
const PLAIN = /^([a-z0-9-]+)\.([a-z0-9-]+)(?:\.(rel_[0-9a-f]+))?\.env$/;

const PLATFORM: Origin = {
  actor: { type: "system", id: "mainstay", name: "Mainstay" },
  requestId: null,
  address: null,
};

export interface PlainSecretsDependencies {
  directory: string;
  db: Database;
  audit: Audit;
  secrets: Secrets;
  log: Log;
}

interface PlainFile extends Target {
  file: string;
  release: string | null;
}

/**
 * Earlier versions kept the values of secrets in plain files: they are taken in at the start, sealed, and
 * the files are removed. One that cannot be read is left where it is, and said.
 */
export function createPlainSecrets(dependencies: PlainSecretsDependencies): LongRunning {
  const { directory, db, audit, secrets, log } = dependencies;

  async function takeIn({ file, release, ...target }: PlainFile): Promise<void> {
    const values = parseLines(await readPrivate(file));
    await db.transaction().execute(async (tx) => {
      const names = Object.keys(values);
      const id = release === null ? {} : { id: release };
      const version = await secrets.write(tx, target, { ...id, values, changed: names, by: PLATFORM.actor });
      if (release === null) await secrets.adopt(tx, target, version);
      await audit.record(tx, {
        ...PLATFORM,
        ...target,
        action: "services.secrets_imported",
        resource: { type: "service", id: `${target.environment}/${target.service}` },
        after: { file: path.basename(file), names },
        reason: "values are kept sealed in the database",
      });
    });
    await erase(file);
    log.info({ file, names: Object.keys(values).length }, "secrets: a plain file was sealed and removed");
  }

  return {
    name: "plain-secrets",
    async start() {
      const found = (await readdir(directory).catch(() => [])).flatMap((name) => readName(directory, name));
      // What people wrote comes first: versions of changes were made on top of it.
      for (const each of found.toSorted((one, other) => rank(one).localeCompare(rank(other)))) {
        await takeIn(each).catch((error: unknown) => {
          if (!(error instanceof AppError)) throw error;
          log.warn({ error }, "secrets: a plain file is left where it is");
        });
      }
    },
    stop() {},
  };
}

function readName(directory: string, name: string): PlainFile[] {
  const [, service, environment, release = null] = PLAIN.exec(name) ?? [];
  if (service === undefined || environment === undefined) return [];
  return [{ file: path.join(directory, name), service, environment, release }];
}

function rank({ release, file }: PlainFile): string {
  return release === null ? `0 ${file}` : `1 ${release}`;
}

async function readPrivate(file: string): Promise<string> {
  const { mode } = await lstat(file);
  if ((mode & 0o077) !== 0)
    throw new AppError("SECRETS_FILE", { file, reason: "other accounts may read it" });
  return readFile(file, "utf8");
}

/** Its blocks are overwritten before they are given back, as far as the file system writes in place. */
async function erase(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    const { size } = await handle.stat();
    await handle.write(Buffer.alloc(size), 0, size, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rm(file);
}

/** KEY=value lines, without quotes: what they were read as. */
function parseLines(text: string): SecretValues {
  const lines = text.split("\n").map((line) => /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line));
  return Object.fromEntries(
    lines.flatMap((match) => (match ? [[match[1] ?? "", match[2]?.trim() ?? ""]] : [])),
  );
}
