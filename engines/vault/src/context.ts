/** Where a sealed thing belongs, for example table, column and row. It opens nowhere else. */
export type Context = readonly string[];

/**
 * Every part as UTF-8 behind its length in 32 bits, so that no two contexts give the same bytes. Halves of
 * surrogate pairs have no UTF-8 and would all become the same.
 */
export function encodeContext(context: Context): Buffer {
  const parts = context.flatMap((part) => {
    if (!part.isWellFormed()) throw new RangeError("A context holds half of a surrogate pair.");
    const text = Buffer.from(part);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(text.length);
    return [size, text];
  });
  return Buffer.concat(parts);
}
