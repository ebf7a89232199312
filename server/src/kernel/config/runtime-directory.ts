import { createHash } from "node:crypto";
import { lstat, mkdir, realpath, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { AppError } from "@mainstay/api";

/** sun_path holds 108 bytes with the closing zero: unix(7). */
const SOCKET_PATH_LIMIT_BYTES = 107;
/** Room for "/" and the name of any socket in the directory. */
const SOCKET_NAME_BYTES = 32;
/**
 * Others may pass through (the account that runs PostgreSQL must, when root started it), never look or write:
 * what lies inside is closed to them by its own mode.
 */
const OPEN_TO_OTHERS = 0o066;

export interface RuntimeDirectoryRequest {
  dataDirectory: string;
  env: Readonly<Record<string, string | undefined>>;
  uid: number;
}

/**
 * The directory of the UNIX sockets that belong to a data directory: short, owned by this account, closed to
 * others; made when it is not there. Throws RUNTIME_DIRECTORY when it cannot be had.
 */
export async function runtimeDirectoryFor(request: RuntimeDirectoryRequest): Promise<string> {
  const path = await runtimePathFor(request);
  if (Buffer.byteLength(path) + SOCKET_NAME_BYTES > SOCKET_PATH_LIMIT_BYTES) {
    throw new AppError("RUNTIME_DIRECTORY", { path, reason: "the path is too long for a socket" });
  }
  await mkdir(path, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "it cannot be made";
    throw new AppError("RUNTIME_DIRECTORY", { path, reason }, { cause: error });
  });
  await checkOwnership(path, request.uid);
  return path;
}

/** Where runtimeDirectoryFor would put it; alters nothing. */
export async function runtimePathFor({ dataDirectory, env, uid }: RuntimeDirectoryRequest): Promise<string> {
  const realDirectory = await realpath(dataDirectory).catch(() => dataDirectory);
  const tag = createHash("sha256").update(realDirectory).digest("hex").slice(0, 8);
  const ofSession = env["XDG_RUNTIME_DIR"] ?? "";
  // After `su` the variable may still name the directory of the account before.
  const isOwn = isAbsolute(ofSession) && (await stat(ofSession).catch(() => null))?.uid === uid;
  if (isOwn) return join(ofSession, `mainstay-${tag}`);
  return uid === 0 ? `/run/mainstay-${tag}` : `/tmp/mainstay-${uid}-${tag}`;
}

/** Anybody can make a directory of this name in /tmp first, or a link to somewhere else. */
async function checkOwnership(path: string, uid: number): Promise<void> {
  const entry = await lstat(path);
  const reasons: [boolean, string][] = [
    [!entry.isDirectory(), "it is not a directory"],
    [entry.uid !== uid, `it belongs to the account ${entry.uid}`],
    [(entry.mode & OPEN_TO_OTHERS) !== 0, "other accounts may read or write it; its mode must be 0700"],
  ];
  const reason = reasons.find(([applies]) => applies)?.[1];
  if (reason) throw new AppError("RUNTIME_DIRECTORY", { path, reason });
}
