import { readFile } from "node:fs/promises";
import path from "node:path";
import { AppError, formatSize, type ReleaseResource } from "@mainstay/api";
import { digestOf, readSourceTree } from "@mainstay/server";
import type { Context } from "../context.ts";
import { buildRelease } from "./build-release.ts";
import { packDirectory } from "./pack-directory.ts";
import { readServiceFile } from "./read-service-file.ts";
import { showingPulls } from "./show-pulls.ts";
import { sendArchive, type Progress } from "./send-archive.ts";

export interface RegisterOptions {
  /** The service file inside the directory. */
  file: string;
  environment?: string | undefined;
  env: Record<string, string>;
  /** Path of a .minisig file over the digest. */
  signature?: string | undefined;
  /** Send the files even to a server that could read them itself. */
  isSent: boolean;
  /** Build although the same source was built before. */
  rebuild: boolean;
}

/**
 * Registers a directory as a release: by its path where the server can read it, else by sending its files.
 */
export async function registerRelease(
  context: Context,
  directory: string,
  options: RegisterOptions,
): Promise<ReleaseResource> {
  const root = path.resolve(directory);
  const { file, env, environment, rebuild } = options;
  const { build } = await readServiceFile(path.join(root, file), environment);
  const signature = await readSignature(options.signature);
  const wish = { file, env, ...signature, ...(environment === undefined ? {} : { environment }) };
  const register: Register = build
    ? (files) => buildRelease(context, { ...wish, ...files, rebuild })
    : (files) => post(context, { ...wish, ...files });
  if (context.server.isHere && !options.isSent) {
    context.status(`registering ${directory} …`);
    return register({ directory: root });
  }
  context.status(`reading ${directory} …`);
  const entries = await readSourceTree(root, { isBuilt: build !== undefined });
  const known = rebuild ? null : await registerKnown(context, register, digestOf(entries));
  if (known) return known;
  const archive = await packDirectory(root, entries, (sizeBytes) =>
    context.status(`packing ${entries.length} files, ${formatSize(sizeBytes)} …`),
  );
  try {
    const upload = await send(context, archive);
    context.status("registering …");
    return await register({ upload });
  } finally {
    await archive.close();
  }
}

/** Makes a release of files that the server finds by their path, their upload or their digest. */
type Register = (
  files: { directory: string } | { upload: string } | { digest: string },
) => Promise<ReleaseResource>;

async function readSignature(file: string | undefined): Promise<{ signature?: string }> {
  if (file === undefined) return {};
  const signature = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new AppError("CONFIG_UNREADABLE", { file, reason: error.code ?? "unknown" }, { cause: error });
  });
  return { signature };
}

/** Takes as long as the images need that are not on the server's machine yet. */
function post(context: Context, wish: Record<string, unknown>): Promise<ReleaseResource> {
  return showingPulls(context, context.api.post<ReleaseResource>("/releases", wish));
}

/** Null when the server does not have the files yet. */
async function registerKnown(
  context: Context,
  register: Register,
  digest: string,
): Promise<ReleaseResource | null> {
  try {
    const release = await register({ digest });
    if (!context.isJson) context.print("files     already there, nothing to send");
    return release;
  } catch (error) {
    if (error instanceof AppError && error.code === "NOT_FOUND") return null;
    throw error;
  }
}

async function send(context: Context, archive: Awaited<ReturnType<typeof packDirectory>>): Promise<string> {
  const startedMs = context.nowMs();
  let last: Progress = { sentBytes: 0, sizeBytes: archive.sizeBytes, resumed: 0 };
  let first: number | null = null;
  const upload = await sendArchive(context.api, archive, {
    nowMs: context.nowMs,
    onProgress(progress) {
      last = progress;
      first ??= progress.sentBytes;
      context.status(progressLine(progress, context.nowMs() - startedMs, first));
    },
  });
  if (!context.isJson) context.print(sentLine(last, first ?? 0));
  return upload;
}

function progressLine({ sentBytes, sizeBytes, resumed }: Progress, tookMs: number, first: number): string {
  const share = Math.floor((100 * sentBytes) / sizeBytes);
  const rate = tookMs > 1_000 ? `, ${formatSize(((sentBytes - first) * 1_000) / tookMs)}/s` : "";
  const cuts = resumed === 0 ? "" : `, taken up again ${resumed} times`;
  return `sending ${formatSize(sentBytes)} of ${formatSize(sizeBytes)} (${share}%${rate}${cuts})`;
}

function sentLine({ sizeBytes, resumed }: Progress, first: number): string {
  const before = first === 0 ? "" : `, ${formatSize(first)} of it before`;
  const cuts = resumed === 0 ? "" : `, taken up again ${resumed} times after a cut`;
  return `files     ${formatSize(sizeBytes)} sent${before}${cuts}`;
}
