import { createReadStream } from "node:fs";
import { lstat } from "node:fs/promises";
import path from "node:path";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { createTarPacker, type TarHeader } from "modern-tar";
import { AppError } from "@mainstay/api";
import type { TreeEntry } from "./domain/digest.ts";

type Packer = ReturnType<typeof createTarPacker>["controller"];

/** The same for everybody: an archive says nothing of who made it, and when. */
const NOBODYS = { mtime: new Date(0), uid: 0, gid: 0, uname: "", gname: "" };

/**
 * The archive of a directory whose tree was read: a gzipped tar, the same bytes for the same tree. Fails when
 * a file is not as long as it was at the beginning.
 */
export function packRelease(root: string, entries: readonly TreeEntry[]): Readable {
  const { readable, controller } = createTarPacker();
  addAll(controller, root, entries).then(
    () => controller.finalize(),
    (error: unknown) => controller.error(error),
  );
  const tar = Readable.from(readable);
  const archive = createGzip();
  tar.once("error", (error) => archive.destroy(error));
  return tar.pipe(archive);
}

async function addAll(packer: Packer, root: string, entries: readonly TreeEntry[]): Promise<void> {
  for (const entry of entries) {
    if (entry.type === "link") await packer.add(headerOf(entry, 0)).close();
    else await addFile(packer, path.join(root, entry.path), entry);
  }
}

async function addFile(packer: Packer, file: string, entry: TreeEntry): Promise<void> {
  const { size } = await lstat(file);
  const writer = packer.add(headerOf(entry, size)).getWriter();
  let written = 0;
  for await (const chunk of createReadStream(file)) {
    const bytes: Uint8Array = chunk;
    written += bytes.length;
    if (written > size) break;
    await writer.write(bytes);
  }
  if (written !== size)
    throw new AppError("RELEASE_DIRECTORY", { path: file, reason: "it changed while it was packed" });
  await writer.close();
}

function headerOf({ path: name, type, executable, content }: TreeEntry, size: number): TarHeader {
  if (type === "link") return { ...NOBODYS, name, type: "symlink", size: 0, mode: 0o777, linkname: content };
  return { ...NOBODYS, name, type: "file", size, mode: executable ? 0o755 : 0o644 };
}
