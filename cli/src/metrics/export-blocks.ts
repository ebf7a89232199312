import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import type { Matcher } from "@mainstay/metrics";
import type { WrittenBlock } from "@mainstay/metrics/prometheus-block";
import { problemOf } from "../api-client.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { counted } from "../output/counted.ts";
import { makeDirectory } from "./make-directory.ts";

export interface BlocksWish {
  selector: string;
  fromMs: number;
  toMs: number;
  directory: string;
}

const HOUR_MS = 3_600_000;
/** Widths that Prometheus makes of blocks when it puts them together: two hours, then three times as much. */
const WIDTHS_MS = [2, 6, 18, 54, 162, 486].map((hours) => hours * HOUR_MS);
const BLOCKS_WISHED = 60;
const FRAME_BYTES_MAX = 256 * 1024 ** 2;
const HEADERS = {
  "content-type": "application/x-protobuf",
  "content-encoding": "snappy",
  "x-prometheus-remote-read-version": "0.1.0",
};

/**
 * Writes the samples of series as blocks of Prometheus, each of a window of time that is read as a stream.
 */
export async function exportBlocks(context: Context, wish: BlocksWish): Promise<void> {
  const { directory } = wish;
  const matchers = await matchersOf(wish.selector);
  makeDirectory(directory);
  // With a log, though an empty one, it is a data directory, which `promtool tsdb dump` asks for.
  fs.mkdirSync(join(directory, "wal"));
  const windows = windowsOf(wish);
  const blocks: WrittenBlock[] = [];
  for (const [nth, window] of windows.entries()) {
    context.status(`${nth} of ${windows.length} windows of time, ${counted(samplesIn(blocks), "sample")}`);
    const block = await exportWindow(context, { ...window, matchers, directory });
    if (block !== null) blocks.push(block);
  }
  context.status("");
  show(context, { directory, blocks }, () =>
    blocks.length === 0
      ? "Nothing was found."
      : `${counted(blocks.length, "block")} with ${counted(samplesIn(blocks), "sample")} in ${directory}`,
  );
}

function samplesIn(blocks: readonly WrittenBlock[]): number {
  return blocks.reduce((sum, { samples }) => sum + samples, 0);
}

async function matchersOf(selector: string): Promise<readonly Matcher[]> {
  const { parseQuery, ParseError } = await import("@mainstay/metrics");
  try {
    const expr = parseQuery(selector);
    if (expr.kind === "selector" && expr.offset === null && expr.at === null) return expr.matchers;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new CliError(error.message, EXIT.usage, "such as '{job=\"node\"}'");
  }
  throw new CliError(`${selector} is no selector of series`, EXIT.usage, "such as '{job=\"node\"}'");
}

interface Window {
  fromMs: number;
  toMs: number;
}

/** Windows begin where Prometheus begins its own blocks, so that it can put them together. */
function windowsOf({ fromMs, toMs }: Window): Window[] {
  const narrow = WIDTHS_MS.find((widthMs) => (toMs - fromMs) / widthMs <= BLOCKS_WISHED);
  const widthMs = narrow ?? WIDTHS_MS.at(-1) ?? HOUR_MS;
  const windows: Window[] = [];
  for (let startMs = Math.floor(fromMs / widthMs) * widthMs; startMs <= toMs; startMs += widthMs)
    windows.push({ fromMs: Math.max(startMs, fromMs), toMs: Math.min(startMs + widthMs - 1, toMs) });
  return windows;
}

async function exportWindow(
  context: Context,
  { fromMs, toMs, matchers, directory }: Window & { matchers: readonly Matcher[]; directory: string },
): Promise<WrittenBlock | null> {
  const { encodeReadRequest, readChunkFrames, WireError } = await import("@mainstay/metrics/wire");
  const { createBlockWriter } = await import("@mainstay/metrics/prometheus-block");
  const request = encodeReadRequest([{ fromMs, toMs, matchers }], "chunks");
  const stream = await readStream(context, request);
  const writer = createBlockWriter({ disk: fs, directory, nowMs: context.nowMs(), random: randomBytes });
  try {
    for await (const { labels, chunks } of readChunkFrames(stream, { limitBytes: FRAME_BYTES_MAX }))
      writer.add(labels, chunks);
    return writer.finish();
  } catch (error) {
    writer.abandon();
    // A stream that breaks off is a TypeError of fetch.
    if (!(error instanceof TypeError) && !(error instanceof WireError)) throw error;
    const remedy = "What was written before is whole. See the server's log, and export again.";
    throw new CliError(`the answer of the server broke off: ${error.message}`, EXIT.failed, remedy);
  }
}

async function readStream(
  { api }: Context,
  body: Uint8Array<ArrayBuffer>,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await api.plain("/prometheus/api/v1/read", { method: "POST", headers: HEADERS, body });
  if (response.status === 200 && response.body !== null) return response.body;
  if (!response.headers.get("content-type")?.startsWith("text/plain")) throw await problemOf(response);
  throw new CliError((await response.text()).trim(), EXIT.failed);
}
