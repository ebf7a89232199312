import { dirname } from "node:path";

/**
 * What the store does with files: the part of `node:fs` it uses, so that `node:fs` itself can be handed in.
 */
export interface Disk {
  openSync(path: string, flags: string): number;
  closeSync(fd: number): void;
  readSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  fstatSync(fd: number): { size: number };
  ftruncateSync(fd: number, sizeBytes: number): void;
  fdatasyncSync(fd: number): void;
  fsyncSync(fd: number): void;
  existsSync(path: string): boolean;
  mkdirSync(path: string, options: { recursive: true }): unknown;
  readdirSync(path: string): string[];
  renameSync(from: string, to: string): void;
  rmSync(path: string, options: { recursive: true; force: true }): void;
  linkSync(existing: string, added: string): void;
  statfsSync(path: string): { bavail: number; bsize: number };
}

/**
 * Writes all of it at the position; throws what the disk throws, and when it takes less than it was given.
 */
export function writeAll(disk: Disk, fd: number, { bytes, position }: Placed): void {
  let done = 0;
  while (done < bytes.length) {
    const written = disk.writeSync(fd, bytes, done, bytes.length - done, position + done);
    if (written === 0) throw new Error("the disk took no more bytes");
    done += written;
  }
}

interface Placed {
  bytes: Uint8Array;
  position: number;
}

/** Reads exactly that range; shorter when the file ends before. */
export function readRange(
  disk: Disk,
  fd: number,
  range: { position: number; sizeBytes: number },
): Uint8Array {
  const bytes = new Uint8Array(range.sizeBytes);
  let done = 0;
  while (done < bytes.length) {
    const read = disk.readSync(fd, bytes, done, bytes.length - done, range.position + done);
    if (read === 0) return bytes.subarray(0, done);
    done += read;
  }
  return bytes;
}

/** A whole file. */
export function readFile(disk: Disk, path: string): Uint8Array {
  const fd = disk.openSync(path, "r");
  try {
    return readRange(disk, fd, { position: 0, sizeBytes: disk.fstatSync(fd).size });
  } finally {
    disk.closeSync(fd);
  }
}

/**
 * Writes a new file and returns when it would outlive a power cut; its name does so after `syncDirectory`.
 */
export function writeFile(disk: Disk, path: string, bytes: Uint8Array): void {
  const fd = disk.openSync(path, "w");
  try {
    writeAll(disk, fd, { bytes, position: 0 });
    disk.fsyncSync(fd);
  } finally {
    disk.closeSync(fd);
  }
}

/** Replaces a file whole or not at all. */
export function replaceFile(disk: Disk, path: string, bytes: Uint8Array): void {
  const draft = `${path}.tmp`;
  try {
    writeFile(disk, draft, bytes);
    disk.renameSync(draft, path);
  } catch (cause) {
    removeTree(disk, draft);
    throw cause;
  }
  syncDirectory(disk, dirname(path));
}

/** Makes names that were added, changed or taken away outlive a power cut. */
export function syncDirectory(disk: Disk, path: string): void {
  const fd = disk.openSync(path, "r");
  try {
    disk.fsyncSync(fd);
  } finally {
    disk.closeSync(fd);
  }
}

export function removeTree(disk: Disk, path: string): void {
  disk.rmSync(path, { recursive: true, force: true });
}

/** Names in a directory, sorted; none when there is no such directory. */
export function listNames(disk: Disk, path: string): string[] {
  return disk.existsSync(path) ? disk.readdirSync(path).toSorted() : [];
}

/** Whether the disk refused because it is full, or because a quota is. */
export function isDiskFull(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}
