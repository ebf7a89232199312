/** Answers that many unpredictable bytes; in production node:crypto's `randomBytes`. */
export type Random = (sizeBytes: number) => Uint8Array;
