import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { chmod, chown, mkdir, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import type { Account } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { unreachableFor } from "./reachable.ts";
import { runCommand } from "./run-command.ts";

/** The user that owns everything in the embedded PostgreSQL. */
export const CLUSTER_USER = "mainstay";

const UNFINISHED = "postgres.new-";

/**
 * Makes the cluster unless it exists; refuses one of
 * another major version. It appears complete or not at all.
 */
export async function prepareCluster(cluster: string, account: Account, binaries: Binaries): Promise<void> {
  const parent = path.dirname(cluster);
  const leftovers = (await readdir(parent)).filter((name) => name.startsWith(UNFINISHED));
  for (const name of leftovers) await rm(path.join(parent, name), { recursive: true, force: true });
  if (existsSync(cluster)) return refuseOtherVersion(cluster, binaries.major);

  const unfinished = path.join(parent, `${UNFINISHED}${randomBytes(4).toString("hex")}`);
  await makeDirectoryOf(account, unfinished);
  // "builtin" collation: no update of the C library or of ICU can ever reorder an index.
  const locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8"];
  // "trust": there is only a UNIX socket, in a directory that only the account and root may enter.
  const access = [`--username=${CLUSTER_USER}`, "--auth=trust"];
  await runCommand([binaries.initdb, "-D", unfinished, ...locale, ...access], account);
  await rename(unfinished, cluster);
}

/** PostgreSQL runs on files of its own account only, and without being root we cannot become that account. */
export function refuseForeignCluster(cluster: string, account: Account): void {
  const owner = statSync(cluster, { throwIfNoEntry: false })?.uid ?? account.uid;
  if (owner === account.uid) return;
  const reason = `it belongs to the account with the uid ${owner}, and this is ${account.name}`;
  throw new AppError("DATABASE_DIRECTORY", { path: cluster, reason });
}

async function refuseOtherVersion(cluster: string, expected: number): Promise<void> {
  const found = (await readFile(path.join(cluster, "PG_VERSION"), "utf8").catch(() => "?")).trim();
  if (found !== String(expected)) {
    throw new AppError("DATABASE_CLUSTER_VERSION", { path: cluster, found, expected });
  }
}

/** A directory that only the account may enter. */
export async function makeDirectoryOf(account: Account, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (!account.isSwitched) return;
  await chmod(directory, 0o700);
  await chown(directory, account.uid, account.gid);
}

/**
 * Makes one of Mainstay's own directories passable for the account (passable, not readable); throws
 * DATABASE_DIRECTORY when the way to it is closed.
 */
export async function openPassage(directory: string, account: Account): Promise<void> {
  await mkdir(directory, { recursive: true }).catch((error: Error) => {
    throw new AppError("DATABASE_DIRECTORY", { path: directory, reason: error.message }, { cause: error });
  });
  const closed = unreachableFor(directory, account.uid, account.gid);
  if (closed === null) return;
  const { mode, uid } = await stat(directory);
  const parent = unreachableFor(path.dirname(directory), account.uid, account.gid);
  if (parent !== null || uid !== process.getuid?.()) {
    const reason = `the account ${account.name}, which runs PostgreSQL, may not enter ${closed}`;
    throw new AppError("DATABASE_DIRECTORY", { path: directory, reason });
  }
  await chmod(directory, (mode & 0o7777) | 0o011);
}
