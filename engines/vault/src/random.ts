/** Answers that many unpredictable bytes; in production node:crypto's `randomBytes`. */
export type Random = (sizeBytes: number) => Uint8Array;

/** That many bytes, and not one fewer: a short salt would go unnoticed. */
export function draw(random: Random, sizeBytes: number): Uint8Array {
  const bytes = random(sizeBytes);
  if (bytes.length === sizeBytes) return bytes;
  throw new RangeError(`The source of randomness gave ${bytes.length} bytes in the place of ${sizeBytes}.`);
}
