import { z } from "zod";

/** Resumable uploads: an archive is announced with its size and digest, then sent in pieces. */

/** The media type of a piece, as in tus 1.0. */
export const PIECE_CONTENT_TYPE = "application/offset+octet-stream";
/** Where a piece begins, and in answers where the next one does. */
export const OFFSET_HEADER = "upload-offset";
/** The size of the whole. */
export const LENGTH_HEADER = "upload-length";

export const newUpload = z.strictObject({
  sizeBytes: z.int().min(1),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "expected 64 hex digits")
    .describe("of the whole archive"),
});

export const uploadResource = z
  .object({
    id: z.string(),
    sizeBytes: z.int(),
    sha256: z.string(),
    offsetBytes: z.int().describe("how much of it has arrived: the next piece begins here"),
    expiresAt: z.iso.datetime().describe("what is incomplete or unused by then is removed"),
  })
  .meta({ id: "Upload" });
export type UploadResource = z.infer<typeof uploadResource>;
