import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { AppError, type PlatformConfig } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import { freeBytesAt } from "../../kernel/disk.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { appendPiece } from "./append-piece.ts";
import { createUploadsStore, type UploadRow } from "./store.ts";

const OPEN_MAX = 20;
/** What an archive unpacks to needs room as well; more is asked for when it is unpacked. */
const SPACE_FACTOR = 2;

export interface Announcement {
  sizeBytes: number;
  sha256: string;
}

export interface Upload extends Announcement {
  id: string;
  offsetBytes: number;
  expiresAt: Date;
}

export interface Piece {
  offsetBytes: number;
  content: AsyncIterable<Uint8Array>;
}

export interface UploadsDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  dataDirectory: string;
  limits: Pick<PlatformConfig["uploads"], "maxSize" | "expiry">;
}

interface Writer {
  stop: AbortController;
  done: Promise<void>;
}

/** Archives on their way to the server: announced, sent in pieces, taken up again after a cut. */
export function createUploads({ db, clock, ids, dataDirectory, limits }: UploadsDependencies) {
  const store = createUploadsStore(db);
  const directory = path.join(dataDirectory, "uploads");
  const fileOf = (id: string) => path.join(directory, `${id}.part`);
  const writers = new Map<string, Writer>();
  const expiry = () => new Date(clock.now().getTime() + limits.expiry);

  async function rowOf(id: string): Promise<UploadRow> {
    const row = await store.upload(id);
    if (!row || row.expires_at <= clock.now()) throw new AppError("NOT_FOUND", { what: `upload ${id}` });
    return row;
  }

  async function toUpload(row: UploadRow): Promise<Upload> {
    const offsetBytes = await stat(fileOf(row.id)).then(
      (stats) => stats.size,
      () => 0,
    );
    const { id, sha256, expires_at: expiresAt } = row;
    return { id, sizeBytes: Number(row.size_bytes), sha256, offsetBytes, expiresAt };
  }

  /** Opens an upload, or finds the one of the same content that was cut off. */
  async function announce(wish: Announcement, actor: UploadRow["created_by"]): Promise<Upload> {
    const { sizeBytes, sha256 } = wish;
    if (sizeBytes > limits.maxSize)
      throw new AppError("UPLOAD_TOO_LARGE", { sizeBytes, limitBytes: limits.maxSize });
    const opened = await store.open(clock.now());
    const same = opened.find(
      (row) =>
        row.sha256 === sha256 && Number(row.size_bytes) === sizeBytes && isSameActor(row.created_by, actor),
    );
    if (same) return toUpload(same);
    if (opened.length >= OPEN_MAX) throw new AppError("UPLOAD_LIMIT", { count: opened.length });
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await demandSpace(sizeBytes);
    const now = clock.now();
    const id = ids.next("upl");
    const row = { id, size_bytes: String(sizeBytes), sha256, created_at: now, expires_at: expiry() };
    await store.insert({ ...row, created_by: actor });
    return toUpload({ ...row, created_by: actor });
  }

  async function demandSpace(sizeBytes: number): Promise<void> {
    const freeBytes = await freeBytesAt(directory);
    if (freeBytes < SPACE_FACTOR * sizeBytes) throw new AppError("UPLOAD_NO_SPACE", { sizeBytes, freeBytes });
  }

  /** Adds a piece; whatever of it arrives stays, also when its connection breaks. Answers the upload then. */
  async function append(id: string, piece: Piece): Promise<Upload> {
    return alone(id, async (signal) => {
      const upload = await toUpload(await rowOf(id));
      const { offsetBytes: expected, sizeBytes } = upload;
      if (piece.offsetBytes !== expected)
        throw new AppError("UPLOAD_OFFSET", { expected, got: piece.offsetBytes });
      const offsetBytes = await appendPiece(piece.content, { file: fileOf(id), upload, signal });
      if (offsetBytes > sizeBytes)
        throw new AppError("UPLOAD_TOO_LARGE", { sizeBytes: offsetBytes, limitBytes: sizeBytes });
      const expiresAt = expiry();
      await store.prolong(id, expiresAt);
      return { ...upload, offsetBytes, expiresAt };
    });
  }

  /**
   * One at a time: whoever comes later ends the one before, whose connection may be dead without knowing it.
   */
  async function alone<Result>(id: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    for (let before = writers.get(id); before; before = writers.get(id)) {
      before.stop.abort();
      await before.done;
    }
    const stop = new AbortController();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    writers.set(id, { stop, done });
    try {
      return await work(stop.signal);
    } finally {
      writers.delete(id);
      resolve();
    }
  }

  /** Hands the complete and verified archive to `use`, and forgets it when that succeeded. */
  async function consume<Result>(id: string, use: (file: string) => Promise<Result>): Promise<Result> {
    return alone(id, async () => {
      const { offsetBytes: arrived, sizeBytes, sha256 } = await toUpload(await rowOf(id));
      if (arrived !== sizeBytes) throw new AppError("UPLOAD_INCOMPLETE", { arrived, sizeBytes });
      if ((await sha256Of(fileOf(id))) !== sha256) {
        await remove(id);
        throw new AppError("UPLOAD_DAMAGED");
      }
      const result = await use(fileOf(id));
      await remove(id);
      return result;
    });
  }

  async function remove(id: string): Promise<void> {
    await store.remove(id);
    await rm(fileOf(id), { force: true });
  }

  /** Removes what has expired, and files that no upload knows; answers how many uploads went. */
  async function removeExpired(): Promise<number> {
    const expired = await store.expired(clock.now());
    for (const { id } of expired) await alone(id, () => remove(id));
    const names = await readdir(directory).catch(() => []);
    const known = new Set((await store.open(clock.now())).map((each) => path.basename(fileOf(each.id))));
    for (const name of names) if (!known.has(name)) await rm(path.join(directory, name), { force: true });
    return expired.length;
  }

  /** The upload as it stands, once whoever still writes to it has ended. */
  async function find(id: string): Promise<Upload> {
    return alone(id, async () => toUpload(await rowOf(id)));
  }

  /** An upload of somebody else is answered as if it were not there. */
  async function demandOwn(id: string, actor: UploadRow["created_by"]): Promise<void> {
    const { created_by: by } = await rowOf(id);
    if (!isSameActor(by, actor)) throw new AppError("NOT_FOUND", { what: `upload ${id}` });
  }

  return { announce, append, find, demandOwn, consume, removeExpired };
}
export type Uploads = ReturnType<typeof createUploads>;

type UploadedBy = UploadRow["created_by"];

function isSameActor(one: UploadedBy, other: UploadedBy): boolean {
  return one.type === other.type && one.id === other.id;
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}
