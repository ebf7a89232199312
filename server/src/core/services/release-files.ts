import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import { digestOf, type TreeEntry } from "./domain/digest.ts";
import { staysInside } from "./domain/link.ts";

/** Not part of any release, wherever it lies in the tree. */
const IGNORED_NAMES = new Set([".git", ".hg", ".svn", ".DS_Store"]);
const FILES_MAX = 200_000;
const CONCURRENCY = 16;
/** Files up to this size are read in one go. */
const SMALL_FILE_BYTES = 1 << 20;

export interface ReleaseFiles {
  /** Copies a directory into the store under its digest; an equal one that is there already is reused. */
  store(source: string): Promise<{ digest: string; directory: string; version: string | null }>;
  /** Digests the stored files again and says whether they are still what they were. */
  isIntact(directory: string, digest: string): Promise<boolean>;
}

/** The immutable release directories, `<root>/<digest>/`. */
export function createReleaseFiles({ root }: { root: string }): ReleaseFiles {
  return {
    async store(source) {
      await mustBeDirectory(source);
      const entries = await readTree(source);
      const digest = digestOf(entries);
      const directory = path.join(root, digest.replace("sha256:", ""));
      if (!(await isIntactAt(directory, digest))) await copy({ source, entries, directory, digest });
      return { digest, directory, version: await packageVersion(directory) };
    },
    isIntact: isIntactAt,
  };
}

async function mustBeDirectory(source: string): Promise<void> {
  if (!path.isAbsolute(source)) {
    throw new AppError("RELEASE_DIRECTORY", { path: source, reason: "the path is not absolute" });
  }
  const stats = await lstat(source).catch((error: NodeJS.ErrnoException) => {
    throw new AppError(
      "RELEASE_DIRECTORY",
      { path: source, reason: error.code ?? "it cannot be read" },
      { cause: error },
    );
  });
  if (!stats.isDirectory())
    throw new AppError("RELEASE_DIRECTORY", { path: source, reason: "it is not a directory" });
}

async function isIntactAt(directory: string, digest: string): Promise<boolean> {
  const isThere = await lstat(directory).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isThere && digestOf(await readTree(directory)) === digest;
}

interface CopyTask {
  source: string;
  entries: TreeEntry[];
  directory: string;
  digest: string;
}

/** Copies beside the final place, checks what arrived, then renames: a release is either whole or absent. */
async function copy({ source, entries, directory, digest }: CopyTask): Promise<void> {
  const draft = `${directory}.${process.pid}.incomplete`;
  await rm(draft, { recursive: true, force: true });
  await forEach(entries, (entry) => copyEntry(source, draft, entry));
  if (digestOf(await readTree(draft)) !== digest) {
    await rm(draft, { recursive: true, force: true });
    throw new AppError("RELEASE_DIRECTORY", {
      path: source,
      reason: "its files changed while they were copied",
    });
  }
  await rm(directory, { recursive: true, force: true });
  await rename(draft, directory);
}

async function copyEntry(source: string, target: string, entry: TreeEntry): Promise<void> {
  const to = path.join(target, entry.path);
  await mkdir(path.dirname(to), { recursive: true, mode: 0o755 });
  if (entry.type === "link") return symlink(entry.content, to);
  await copyFile(path.join(source, entry.path), to, constants.COPYFILE_FICLONE);
  await chmod(to, entry.executable ? 0o755 : 0o644);
}

/**
 * Every file and link below a directory. Refuses what cannot
 * be released: devices, sockets, links that lead outside.
 */
async function readTree(root: string): Promise<TreeEntry[]> {
  const paths = await listPaths(root);
  const entries: TreeEntry[] = [];
  await forEach(paths, async (each) => {
    entries.push(await readEntry(root, each));
  });
  return entries;
}

async function listPaths(root: string): Promise<string[]> {
  const found: string[] = [];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const each of await readdir(path.join(root, folder), { withFileTypes: true })) {
      if (IGNORED_NAMES.has(each.name)) continue;
      const relative = path.posix.join(folder, each.name);
      if (each.isDirectory()) pending.push(relative);
      else found.push(relative);
    }
    if (found.length > FILES_MAX) {
      throw new AppError("RELEASE_DIRECTORY", {
        path: root,
        reason: `it holds more than ${FILES_MAX} files`,
      });
    }
  }
  return found;
}

async function readEntry(root: string, relative: string): Promise<TreeEntry> {
  const full = path.join(root, relative);
  const stats = await lstat(full);
  if (stats.isSymbolicLink()) {
    const target = await readlink(full);
    if (staysInside(relative, target))
      return { path: relative, type: "link", executable: false, content: target };
    throw new AppError("RELEASE_DIRECTORY", { path: full, reason: `the link leads outside, to ${target}` });
  }
  if (!stats.isFile()) throw new AppError("RELEASE_DIRECTORY", { path: full, reason: "it is not a file" });
  const isExecutable = (stats.mode & 0o100) !== 0;
  return {
    path: relative,
    type: "file",
    executable: isExecutable,
    content: await hashFile(full, stats.size),
  };
}

async function hashFile(file: string, sizeBytes: number): Promise<string> {
  const hash = createHash("sha256");
  if (sizeBytes <= SMALL_FILE_BYTES) return hash.update(await readFile(file)).digest("hex");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

async function forEach<Item>(items: readonly Item[], task: (item: Item) => Promise<void>): Promise<void> {
  let next = 0;
  async function work(): Promise<void> {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await task(item);
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** What people call this release: the version in its package.json, when there is one. */
async function packageVersion(directory: string): Promise<string | null> {
  const text = await readFile(path.join(directory, "package.json"), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const version: unknown = JSON.parse(text).version;
    return typeof version === "string" ? version : null;
  } catch {
    return null;
  }
}
