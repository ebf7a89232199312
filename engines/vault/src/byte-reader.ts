/** Takes bytes out of a source in the sizes the reader wants, and no earlier than the reader wants them. */
export interface ByteReader {
  /** That many bytes, fewer only at the end. */
  read(sizeBytes: number): Promise<Buffer>;
  /** Tells the source that nobody reads on. */
  close(): Promise<void>;
}

export type ByteStream = AsyncIterable<Uint8Array>;

export function createByteReader(source: ByteStream): ByteReader {
  const iterator = source[Symbol.asyncIterator]();
  let held = Buffer.alloc(0);
  return {
    read: async (sizeBytes) => {
      const pieces: Uint8Array[] = [held];
      let size = held.length;
      while (size < sizeBytes) {
        const next = await iterator.next();
        if (next.done === true) break;
        pieces.push(next.value);
        size += next.value.length;
      }
      const all = pieces.length === 1 ? held : Buffer.concat(pieces);
      held = all.subarray(sizeBytes);
      return all.subarray(0, sizeBytes);
    },
    close: async () => void (await iterator.return?.()),
  };
}
