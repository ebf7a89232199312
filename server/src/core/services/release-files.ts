import { constants } from "node:fs";
import { chmod, copyFile, lstat, mkdir, readdir, readFile, rename, rm, symlink } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@mainstay/api";
import { unpackArchive, type UnpackLimits } from "./archive-unpack.ts";
import { digestOf, type TreeEntry } from "./domain/digest.ts";
import { forEach, readSourceTree, readTree } from "./release-tree.ts";

/** How the names of directories end that are not whole yet. */
const LEFTOVER = ".incomplete";

export interface StoredFiles {
  digest: string;
  directory: string;
  version: string | null;
  entries: TreeEntry[];
}

export interface ReleaseFiles {
  /** What would be stored of a directory; of one that is yet to be built, its source. */
  read(source: string, options?: { isBuilt: boolean }): Promise<TreeEntry[]>;
  /** Copies a directory into the store under its digest; an equal one that is there already is reused. */
  store(source: string): Promise<StoredFiles>;
  /** As `store`, for what a build has left: everything is part of it, whatever is left out of a source. */
  storeBuilt(result: string): Promise<StoredFiles>;
  /** Copies what was read of a directory to a place that does not exist yet. */
  copyTo(source: string, entries: TreeEntry[], into: string): Promise<void>;
  /** Unpacks an archive for as long as `use` needs its directory. */
  unpack<Result>(archive: string, use: (directory: string) => Promise<Result>): Promise<Result>;
  /** The stored files of a digest, when they are there and intact. */
  find(digest: string): Promise<StoredFiles | null>;
  /** How much the stored files of a digest take. */
  sizeOf(digest: string): Promise<number>;
  /**
   * Removes the stored files of these digests, and leftovers of work that was cut off; answers how much that
   * freed. What the store does not know is not its to remove.
   */
  remove(digests: readonly string[]): Promise<number>;
  /** Digests the stored files again and says whether they are still what they were. */
  isIntact(directory: string, digest: string): Promise<boolean>;
}

/** The immutable release directories, `<root>/<digest>/`. */
export function createReleaseFiles({ root, limits }: { root: string; limits: UnpackLimits }): ReleaseFiles {
  const placeOf = (digest: string) => path.join(root, digest.replace("sha256:", ""));

  async function keep(source: string, entries: TreeEntry[]): Promise<StoredFiles> {
    const digest = digestOf(entries);
    const directory = placeOf(digest);
    if (!(await isIntactAt(directory, digest))) await moveIn(source, entries, directory);
    return { digest, directory, version: await packageVersion(directory), entries };
  }

  async function read(source: string, options?: { isBuilt: boolean }): Promise<TreeEntry[]> {
    await mustBeDirectory(source);
    return readSourceTree(source, options);
  }

  return {
    read,
    copyTo,
    store: async (source) => keep(source, await read(source)),
    storeBuilt: async (result) => keep(result, await readTree(result)),
    async unpack(archive, use) {
      const draft = path.join(root, `${path.basename(archive)}${LEFTOVER}`);
      await unpackArchive(archive, draft, limits);
      try {
        return await use(draft);
      } finally {
        await rm(draft, { recursive: true, force: true });
      }
    },
    async find(digest) {
      const directory = placeOf(digest);
      const entries = (await isDirectory(directory)) ? await readTree(directory) : [];
      if (digestOf(entries) !== digest) return null;
      return { digest, directory, version: await packageVersion(directory), entries };
    },
    sizeOf: (digest) => treeSizeBytes(placeOf(digest)),
    async remove(digests) {
      const names = await readdir(root).catch(() => []);
      const leftovers = names.filter((name) => name.endsWith(LEFTOVER)).map((name) => path.join(root, name));
      let freedBytes = 0;
      for (const directory of [...digests.map(placeOf), ...leftovers]) {
        freedBytes += await treeSizeBytes(directory);
        await rm(directory, { recursive: true, force: true });
      }
      return freedBytes;
    },
    isIntact: isIntactAt,
  };
}

/** The bytes of all files below a directory; 0 when there is none. */
async function treeSizeBytes(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  let sizeBytes = 0;
  await forEach(entries, async (entry) => {
    if (!entry.isFile()) return;
    const { size } = await lstat(path.join(entry.parentPath, entry.name));
    sizeBytes += size;
  });
  return sizeBytes;
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
  return (await isDirectory(directory)) && digestOf(await readTree(directory)) === digest;
}

function isDirectory(directory: string): Promise<boolean> {
  return lstat(directory).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** Copies beside the final place and renames: a release is either whole or absent. */
async function moveIn(source: string, entries: TreeEntry[], directory: string): Promise<void> {
  const draft = `${directory}${LEFTOVER}`;
  await copyTo(source, entries, draft);
  await rm(directory, { recursive: true, force: true });
  await rename(draft, directory);
}

/** Throws when what arrived is not what was read. */
async function copyTo(source: string, entries: TreeEntry[], into: string): Promise<void> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true, mode: 0o755 });
  await forEach(entries, (entry) => copyEntry(source, into, entry));
  if (digestOf(await readTree(into)) === digestOf(entries)) return;
  await rm(into, { recursive: true, force: true });
  throw new AppError("RELEASE_DIRECTORY", {
    path: source,
    reason: "its files changed while they were copied",
  });
}

async function copyEntry(source: string, target: string, entry: TreeEntry): Promise<void> {
  const to = path.join(target, entry.path);
  await mkdir(path.dirname(to), { recursive: true, mode: 0o755 });
  if (entry.type === "link") return symlink(entry.content, to);
  await copyFile(path.join(source, entry.path), to, constants.COPYFILE_FICLONE);
  await chmod(to, entry.executable ? 0o755 : 0o644);
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
