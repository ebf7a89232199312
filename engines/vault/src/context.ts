/** Where a sealed thing belongs, for example table, column and row. It opens nowhere else. */
export type Context = readonly string[];

/** Every part as UTF-8 behind its length in 32 bits, so that no two contexts give the same bytes. */
export function encodeContext(context: Context): Buffer {
  const parts = context.flatMap((part) => {
    const text = Buffer.from(part);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(text.length);
    return [size, text];
  });
  return Buffer.concat(parts);
}
