import { open } from "node:fs/promises";

export interface PieceTarget {
  file: string;
  upload: { offsetBytes: number; sizeBytes: number };
  signal: AbortSignal;
}

/**
 * Writes what arrives behind what is there, and answers where the file ends then. Nothing past the announced
 * size is written: an answer beyond it says that more was sent. A connection that breaks, or a signal that
 * aborts, ends the piece early.
 */
export async function appendPiece(
  content: AsyncIterable<Uint8Array>,
  { file, upload, signal }: PieceTarget,
): Promise<number> {
  const handle = await open(file, "a", 0o600);
  let offsetBytes = upload.offsetBytes;
  try {
    for await (const chunk of untilAborted(content, signal)) {
      if (offsetBytes + chunk.length > upload.sizeBytes) return offsetBytes + chunk.length;
      await handle.appendFile(chunk);
      offsetBytes += chunk.length;
    }
    await handle.datasync();
    return offsetBytes;
  } finally {
    await handle.close();
  }
}

/** Ends, instead of failing, when the source breaks off or the signal aborts. */
async function* untilAborted(
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const iterator = content[Symbol.asyncIterator]();
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const onAbort = () => resolve(null);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      const next = await Promise.race([iterator.next().catch(() => null), aborted]);
      if (next === null || next.done) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    iterator.return?.(undefined)?.catch(() => {});
  }
}
