import { createReadStream, createWriteStream, watch } from "node:fs";
import { open, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { markLog, offsetSince } from "./log-times.ts";
import type { ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

const FILES = ["stdout.log", "stderr.log"];
const MAX_TAIL_BYTES = 4 * 1024 * 1024;

/**
 * Keeps a log below its size: the newest half moves to "<file>.1" and the file is
 * cut to nothing while the process goes on writing to it. What it writes between
 * the copy and the cut is lost; returns the bytes that are not kept any more.
 */
export async function capLog(path: string, limitBytes: number): Promise<number> {
  const size = await sizeOf(path);
  if (size <= limitBytes) return 0;
  const keptBytes = Math.floor(limitBytes / 2);
  const source = createReadStream(path, { start: size - keptBytes, end: size - 1 });
  await pipeline(source, createWriteStream(`${path}.1`, { mode: 0o640 }));
  await truncate(path, 0);
  return size - keptBytes;
}

/** Caps both logs of an instance; returns the bytes dropped. */
export async function capLogs(logDirectory: string, limitBytes: number): Promise<number> {
  const dropped = await Promise.all(FILES.map((name) => capLog(join(logDirectory, name), limitBytes)));
  return dropped.reduce((sum, each) => sum + each, 0);
}

/** Notes how long both logs of an instance are by now. */
export async function markLogs(logDirectory: string, nowMs: number): Promise<void> {
  for (const name of FILES) await markLog(join(logDirectory, name), nowMs);
}

interface LogQuery {
  tailLines: number;
  follow: boolean;
  /** Only what was written after this time. */
  sinceMs?: number;
  /** When nothing more will be written; for ever unless given. */
  over?: Promise<void>;
}

/**
 * Answers with the last lines of stdout, then those of stderr,
 * then what is added to either while the client stays.
 */
export async function sendLogs(
  logDirectory: string,
  { tailLines, follow, sinceMs, over }: LogQuery,
  response: ServerResponse,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  const paths = FILES.map((name) => join(logDirectory, name));
  const ends: number[] = [];
  for (const path of paths) {
    const end = await sizeOf(path);
    ends.push(end);
    const start = sinceMs === undefined ? 0 : await offsetSince(path, sinceMs);
    response.write(await readTail(path, { start, end }, tailLines));
  }
  if (!follow) return void response.end();
  response.flushHeaders();
  const followed = paths.map((path, index) => followFile(path, ends[index] ?? 0, response));
  response.once("close", () => followed.forEach((each) => each.stop()));
  if (!over) return;
  await over;
  for (const each of followed) await each.catchUp();
  response.end();
}

async function readTail(
  path: string,
  within: { start: number; end: number },
  lines: number,
): Promise<Buffer> {
  const { end } = within;
  const start = Math.max(within.start, end - MAX_TAIL_BYTES);
  if (lines === 0 || end <= start) return Buffer.alloc(0);
  const bytes = Buffer.alloc(end - start);
  await using file = await open(path, "r");
  const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
  let at = bytesRead - 1;
  for (let left = lines; left > 0 && at >= 0; left -= 1) at = at === 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1);
  return bytes.subarray(at + 1, bytesRead);
}

/** Sends what is appended to a file; starts again at its beginning when it was cut. */
function followFile(path: string, from: number, response: ServerResponse) {
  let position = from;
  let sending: Promise<void> | null = null;
  let isStale = true;

  function send(): Promise<void> {
    isStale = true;
    sending ??= sendNow().finally(() => (sending = null));
    return sending;
  }

  async function sendNow(): Promise<void> {
    while (isStale && !response.destroyed) {
      isStale = false;
      const end = await sizeOf(path);
      if (end < position) position = 0;
      if (end === position) continue;
      const source = createReadStream(path, { start: position, end: end - 1 });
      position = end;
      await pipeline(source, response, { end: false }).catch(() => response.destroy());
    }
  }

  const watcher = watch(path, () => void send());
  void send();
  return { stop: () => watcher.close(), catchUp: send };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    // Not written yet.
    return 0;
  }
}
