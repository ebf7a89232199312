import { createReadStream } from "node:fs";
import { mkdir, open, rm, stat, symlink } from "node:fs/promises";
import path from "node:path";
import { createGunzip } from "node:zlib";
import { AppError, type PlatformConfig } from "@mainstay/api";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { createArchiveRules, type ArchiveRules } from "./domain/archive-rules.ts";

export type UnpackLimits = Pick<PlatformConfig["uploads"], "maxUnpackedSize" | "maxFiles" | "maxRatio">;

/** Below this the ratio of an archive says nothing: a few pages of zeros are no bomb. */
const RATIO_FREE_BYTES = 16 * 1024 ** 2;

/**
 * Unpacks a gzipped tar into a directory that does not exist yet. Refuses whatever could write anywhere else
 * or fill the disk, with the entry and the reason; then nothing of it is left.
 */
export async function unpackArchive(archive: string, into: string, limits: UnpackLimits): Promise<void> {
  await rm(into, { recursive: true, force: true });
  try {
    await mkdir(into, { recursive: true, mode: 0o700 });
    await unpackInto(archive, into, limits);
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    throw error instanceof AppError ? error : explained(error);
  }
}

async function unpackInto(archive: string, into: string, limits: UnpackLimits): Promise<void> {
  const decoder = createTarDecoder({ strict: true });
  const rules = createArchiveRules(limits);
  const feeding = feed(unzipped(archive, await sizeLimit(archive, limits)), decoder.writable);
  const links: { at: string; target: string }[] = [];
  const reading = (async () => {
    for await (const entry of decoder.readable) {
      const link = await unpackEntry(into, entry, rules);
      if (link) links.push(link);
    }
  })();
  await Promise.all([feeding, reading]);
  // Last, so that no file can be written through one.
  for (const { at, target } of links) await symlink(target, at);
}

/** Answers the link that an entry asks for; everything else is on the disk afterwards. */
async function unpackEntry(
  into: string,
  { header, body }: ParsedTarEntry,
  rules: ArchiveRules,
): Promise<{ at: string; target: string } | null> {
  const placed = rules.place(header);
  if (placed === null || placed.type === "directory") {
    await body.cancel();
    return null;
  }
  const at = path.join(into, placed.path);
  await mkdir(path.dirname(at), { recursive: true, mode: 0o755 });
  if (placed.type === "file") {
    await writeFileTo(at, body, placed.executable ? 0o755 : 0o644);
    return null;
  }
  await body.cancel();
  return { at, target: placed.target };
}

async function writeFileTo(at: string, body: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  const handle = await open(at, "wx", mode);
  try {
    for await (const chunk of body) await handle.writeFile(chunk);
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

async function feed(bytes: AsyncIterable<Uint8Array>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const chunk of bytes) await writer.write(chunk);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => {});
    throw error;
  }
}

async function sizeLimit(archive: string, { maxUnpackedSize, maxRatio }: UnpackLimits) {
  const { size } = await stat(archive);
  return { maxUnpackedSize, maxByRatio: Math.max(RATIO_FREE_BYTES, size * maxRatio), maxRatio };
}

async function* unzipped(
  archive: string,
  limit: Awaited<ReturnType<typeof sizeLimit>>,
): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  const source = createReadStream(archive);
  const gunzip = createGunzip();
  source.once("error", (error) => gunzip.destroy(error));
  for await (const chunk of source.pipe(gunzip)) {
    const bytes: Uint8Array = chunk;
    sizeBytes += bytes.length;
    if (sizeBytes > limit.maxUnpackedSize)
      throw refused(`it unpacks to more than ${limit.maxUnpackedSize} bytes (uploads.maxUnpackedSize)`);
    if (sizeBytes > limit.maxByRatio)
      throw refused(`it unpacks to more than ${limit.maxRatio} times its size (uploads.maxRatio)`);
    yield bytes;
  }
}

/**
 * The words of zlib and of the tar reader are fit to be shown; trouble with the disk is not the archive's.
 */
function explained(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? String(error.code) : "";
  const isOfDisk = code.startsWith("E") && !code.startsWith("ERR_");
  return isOfDisk ? error : refused(error.message);
}

function refused(reason: string): AppError {
  return new AppError("ARCHIVE_REFUSED", { reason });
}
