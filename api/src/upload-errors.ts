import type { ErrorKind } from "./error-kind.ts";

/** What can become of an archive on its way to the server. */
export const UPLOAD_ERRORS = {
  UPLOAD_TOO_LARGE: {
    status: 413,
    message: "an upload of {sizeBytes} bytes is larger than the {limitBytes} that are accepted",
    remedy: "Leave out what the service does not need (.mainstayignore), or raise uploads.maxSize.",
  },
  UPLOAD_OFFSET: {
    status: 409,
    message: "the next piece begins at byte {expected}, not at {got}",
    remedy: "Ask for the offset (HEAD on the upload) and go on from there.",
  },
  UPLOAD_INCOMPLETE: {
    status: 409,
    message: "{arrived} of {sizeBytes} bytes have arrived",
    remedy: "Send the rest first; deploying again goes on where it stopped.",
  },
  UPLOAD_DAMAGED: {
    status: 422,
    message: "the archive that arrived is not the one that was announced: its SHA-256 is another",
    remedy: "Upload it again: what arrived was thrown away.",
  },
  UPLOAD_LIMIT: {
    status: 429,
    message: "{count} uploads are open already, as many as there may be",
    remedy: "Finish them, or wait until they expire (uploads.expiry).",
  },
  UPLOAD_NO_SPACE: {
    status: 507,
    message: "an upload of {sizeBytes} bytes does not fit: {freeBytes} bytes are free where the data lies",
    remedy: "Make room: 'mainstay releases gc' removes what is no longer needed.",
  },
} as const satisfies Record<string, ErrorKind>;
