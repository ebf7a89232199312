import { createHash } from "node:crypto";
import { existsSync, realpathSync, statSync, type Stats } from "node:fs";
import path from "node:path";
import { findAccount } from "./account.ts";

const SHARED_DATA_DIRECTORY = "/var/lib/mainstay";

export interface DataDirectory {
  directory: string;
  moved: boolean;
  /** Why it was moved, to be said aloud; null when it was not. */
  reason: string | null;
}

/**
 * Where the data goes: where it was wanted or, when an unprivileged account could not get there, a directory
 * of the same installation below /var/lib/mainstay. PostgreSQL refuses to run as root, so root has to care.
 */
export function chooseDataDirectory(wanted: string, { isRoot }: { isRoot: boolean }): DataDirectory {
  const directory = path.resolve(wanted);
  const account = isRoot ? findAccount(path.join(directory, "postgres")) : null;
  const closed = account ? unreachableFor(path.dirname(directory), account.uid, account.gid) : null;
  if (!account || closed === null) return { directory, moved: false, reason: null };
  return {
    directory: path.join(SHARED_DATA_DIRECTORY, nameOf(directory)),
    moved: true,
    reason: `the account ${account.name}, which runs PostgreSQL, may not enter ${closed}`,
  };
}

/** The first directory on the way to `target`, itself included, that the account may not enter; else null. */
export function unreachableFor(target: string, uid: number, gid: number): string | null {
  if (uid === 0) return null;
  const real = realpathSync(deepestExisting(path.resolve(target)));
  const parts = real.split(path.sep).filter((part) => part !== "");
  const directories = ["/", ...parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`)];
  return directories.find((directory) => !mayEnter(statSync(directory), uid, gid)) ?? null;
}

function deepestExisting(target: string): string {
  return existsSync(target) ? target : deepestExisting(path.dirname(target));
}

/** POSIX.1-2017 §4.5: the class of the owner counts, else that of the group, else that of the others. */
function mayEnter({ mode, uid: owner, gid: group }: Stats, uid: number, gid: number): boolean {
  if (owner === uid) return (mode & 0o100) !== 0;
  if (group === gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}

/**
 * Readable, stable, and different for every installation:
 * the project's folder and a digest of the whole path.
 */
function nameOf(directory: string): string {
  const digest = createHash("sha256").update(directory).digest("hex").slice(0, 8);
  const project = path.basename(path.dirname(directory)).replace(/[^A-Za-z0-9-]/g, "") || "data";
  return `${project}-${digest}`;
}
