import { createHash } from "node:crypto";
import { createReadStream, type Dirent } from "node:fs";
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import createIgnore from "ignore";
import type { TreeEntry } from "./domain/digest.ts";
import { staysInside } from "./domain/link.ts";

/** Not part of any release, wherever it lies in the tree. */
const IGNORED_NAMES = new Set([".git", ".hg", ".svn", ".DS_Store"]);
/** What tools leave behind, and processes write while they run. */
const CACHE = /(^|\/)node_modules\/\.cache$/;
/** Patterns of what is no part of the release, written as in a .gitignore. */
const IGNORE_FILE = ".mainstayignore";
const BUILT_ANEW = "node_modules/";
const IGNORE_FILE_LIMIT_BYTES = 256 * 1024;
const FILES_MAX = 200_000;
const CONCURRENCY = 16;
/** Files up to this size are read in one go. */
const SMALL_FILE_BYTES = 1 << 20;

/** Whether a path of the tree is left out; a directory's path ends with "/". */
type IsLeftOut = (relative: string) => boolean;

/**
 * Every file and link below a stored release. Refuses what cannot be released:
 * devices, sockets, links that lead outside.
 */
export function readTree(root: string): Promise<TreeEntry[]> {
  return readEntries(root, () => false);
}

/**
 * What is taken of a directory: as readTree, without what its .mainstayignore names. Of what is yet to be
 * built, packages are left out too unless it says otherwise: the build brings its own.
 */
export async function readSourceTree(root: string, { isBuilt = false } = {}): Promise<TreeEntry[]> {
  return readEntries(root, await readIgnoreFile(root, isBuilt ? BUILT_ANEW : ""));
}

async function readIgnoreFile(root: string, before: string): Promise<IsLeftOut> {
  const file = path.join(root, IGNORE_FILE);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw refusal(file, error.code ?? "it cannot be read");
  });
  if (text.length > IGNORE_FILE_LIMIT_BYTES) throw refusal(file, "it is too long to be a list of patterns");
  const patterns = createIgnore().add(before).add(text);
  return (relative) => patterns.ignores(relative);
}

async function readEntries(root: string, isLeftOut: IsLeftOut): Promise<TreeEntry[]> {
  const paths = await listPaths(root, isLeftOut);
  const entries: TreeEntry[] = [];
  await forEach(paths, async (each) => {
    entries.push(await readEntry(root, each));
  });
  return entries.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

async function listPaths(root: string, isLeftOut: IsLeftOut): Promise<string[]> {
  const found: string[] = [];
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const each of await readdir(path.join(root, folder), { withFileTypes: true })) {
      const relative = path.posix.join(folder, each.name);
      if (isNeverPart(each, relative) || isLeftOut(each.isDirectory() ? `${relative}/` : relative)) continue;
      if (each.isDirectory()) pending.push(relative);
      else found.push(relative);
    }
    if (found.length > FILES_MAX) throw refusal(root, `it holds more than ${FILES_MAX} files`);
  }
  return found;
}

function isNeverPart(entry: Dirent, relative: string): boolean {
  return IGNORED_NAMES.has(entry.name) || (entry.isDirectory() && CACHE.test(relative));
}

async function readEntry(root: string, relative: string): Promise<TreeEntry> {
  const full = path.join(root, relative);
  const stats = await lstat(full);
  if (stats.isSymbolicLink()) {
    const target = await readlink(full);
    if (staysInside(relative, target))
      return { path: relative, type: "link", executable: false, content: target };
    throw refusal(full, `the link leads outside, or may, to ${target}`);
  }
  if (!stats.isFile()) throw refusal(full, "it is not a file");
  const executable = (stats.mode & 0o100) !== 0;
  return { path: relative, type: "file", executable, content: await hashFile(full, stats.size) };
}

async function hashFile(file: string, sizeBytes: number): Promise<string> {
  const hash = createHash("sha256");
  if (sizeBytes <= SMALL_FILE_BYTES) return hash.update(await readFile(file)).digest("hex");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** Runs a task for each item, a few of them at once. */
export async function forEach<Item>(
  items: readonly Item[],
  task: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  async function work(): Promise<void> {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await task(item);
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

function refusal(file: string, reason: string): AppError {
  return new AppError("RELEASE_DIRECTORY", { path: file, reason });
}
