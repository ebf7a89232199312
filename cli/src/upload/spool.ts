import { createHash } from "node:crypto";
import { mkdtemp, open, rm, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

/** Bytes that can be sent, and sent again from any place on. */
export interface Archive {
  sizeBytes: number;
  sha256: string;
  read(fromBytes: number, lengthBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/**
 * Keeps what comes in a file that has no name: however the command ends, nothing of it stays behind.
 * What `onProgress` throws ends it.
 */
export async function spool(
  content: AsyncIterable<Uint8Array>,
  onProgress: (sizeBytes: number) => void,
): Promise<Archive> {
  const handle = await openNameless();
  try {
    const hash = createHash("sha256");
    let sizeBytes = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      await handle.appendFile(chunk);
      sizeBytes += chunk.length;
      onProgress(sizeBytes);
    }
    return { sizeBytes, sha256: hash.digest("hex"), read: readFrom(handle), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openNameless(): Promise<FileHandle> {
  const folder = await mkdtemp(path.join(tmpdir(), "mainstay-archive-"));
  try {
    return await open(path.join(folder, "archive"), "wx+", 0o600);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function readFrom(handle: FileHandle): Archive["read"] {
  return async (fromBytes, lengthBytes) => {
    const piece = new Uint8Array(lengthBytes);
    let filled = 0;
    while (filled < lengthBytes) {
      const { bytesRead } = await handle.read(piece, filled, lengthBytes - filled, fromBytes + filled);
      if (bytesRead === 0) throw new Error("the archive is shorter than it was");
      filled += bytesRead;
    }
    return piece;
  };
}
