import { setTimeout as delay } from "node:timers/promises";
import {
  AppError,
  LENGTH_HEADER,
  OFFSET_HEADER,
  PIECE_CONTENT_TYPE,
  type UploadResource,
} from "@mainstay/api";
import type { ApiClient } from "../api-client.ts";
import type { Archive } from "./spool.ts";

/** A piece is as large as the connection carries in about this time, so that a cut costs little. */
const PIECE_MS = 3_000;
const FIRST_PIECE_BYTES = 512 * 1024;
const PIECE_MIN_BYTES = 64 * 1024;
const PIECE_MAX_BYTES = 8 * 1024 ** 2;
/** Less than the server lets a request take to arrive, by default. */
const PIECE_TIMEOUT_MS = 25_000;
/** Without a byte more for so long, the connection counts as lost. */
const PATIENCE_MS = 60_000;
const RETRY_MS = 500;
/** A server that says this may take the same piece later. */
const PASSING = new Set<string>([
  ...["REQUEST_TIMEOUT", "REQUEST_INCOMPLETE", "UPLOAD_OFFSET"],
  ...["SHUTTING_DOWN", "DATABASE_UNREACHABLE"],
]);

export interface Progress {
  sentBytes: number;
  sizeBytes: number;
  /** How often the connection broke and was taken up again. */
  resumed: number;
}

export interface Sending {
  nowMs(): number;
  onProgress(progress: Progress): void;
}

/** Sends an archive piece by piece, going on after every cut where the server stopped; answers the upload. */
export async function sendArchive(api: ApiClient, archive: Archive, sending: Sending): Promise<string> {
  const { sizeBytes, sha256 } = archive;
  const upload = await api.post<UploadResource>("/uploads", { sizeBytes, sha256 });
  let sentBytes = upload.offsetBytes;
  let pieceBytes = FIRST_PIECE_BYTES;
  let resumed = 0;
  let lastGainMs = sending.nowMs();
  const tell = () => sending.onProgress({ sentBytes, sizeBytes, resumed });
  tell();
  while (sentBytes < sizeBytes) {
    const startedMs = sending.nowMs();
    const before = sentBytes;
    try {
      const piece = await archive.read(sentBytes, Math.min(pieceBytes, sizeBytes - sentBytes));
      sentBytes = await sendPiece(api, upload.id, { offsetBytes: sentBytes, piece });
      pieceBytes = nextSize(piece.length, sending.nowMs() - startedMs);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (sending.nowMs() - lastGainMs > PATIENCE_MS)
        throw new AppError("SERVER_UNREACHABLE", { url: api.url }, { cause: error });
      resumed += 1;
      pieceBytes = Math.max(PIECE_MIN_BYTES, Math.round(pieceBytes / 2));
      await delay(RETRY_MS);
      sentBytes = await arrived(api, upload.id).catch(() => before);
    }
    if (sentBytes > before) lastGainMs = sending.nowMs();
    tell();
  }
  return upload.id;
}

async function sendPiece(
  api: ApiClient,
  id: string,
  { offsetBytes, piece }: { offsetBytes: number; piece: Uint8Array<ArrayBuffer> },
): Promise<number> {
  const response = await api.attempt(`/uploads/${id}`, {
    method: "PATCH",
    headers: { "content-type": PIECE_CONTENT_TYPE, [OFFSET_HEADER]: String(offsetBytes) },
    body: piece,
    signal: AbortSignal.timeout(PIECE_TIMEOUT_MS),
  });
  return offsetIn(response);
}

async function arrived(api: ApiClient, id: string): Promise<number> {
  const signal = AbortSignal.timeout(PIECE_TIMEOUT_MS);
  return offsetIn(await api.attempt(`/uploads/${id}`, { method: "HEAD", signal }));
}

function offsetIn(response: Response): number {
  const [offset, length] = [OFFSET_HEADER, LENGTH_HEADER].map((name) => Number(response.headers.get(name)));
  if (response.headers.has(OFFSET_HEADER) && Number.isSafeInteger(offset) && length) return offset ?? 0;
  throw new Error("the server does not say how much has arrived");
}

/** Half or twice as much at most, towards what takes PIECE_MS. */
function nextSize(pieceBytes: number, tookMs: number): number {
  const fitting = (pieceBytes * PIECE_MS) / Math.max(tookMs, 1);
  const near = Math.min(Math.max(fitting, pieceBytes / 2), pieceBytes * 2);
  return Math.round(Math.min(Math.max(near, PIECE_MIN_BYTES), PIECE_MAX_BYTES));
}

/** fetch reports a broken connection as a TypeError, and one that is too slow as a TimeoutError. */
function isPassing(error: unknown): boolean {
  if (error instanceof AppError) return PASSING.has(error.code);
  return error instanceof TypeError || (error instanceof Error && error.name === "TimeoutError");
}
