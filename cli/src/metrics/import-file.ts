import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { PushOutcome } from "@mainstay/api";
import { AppError } from "@mainstay/api/plain";
import { problemOf } from "../api-client.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { counted } from "../output/counted.ts";
import { piecesOf, type Piece } from "./pieces.ts";

const PIECE_CHARACTERS = 4 * 2 ** 20;

interface Imported {
  file: string;
  written: number;
  repeated: number;
  refused: PushOutcome["refused"];
}

/** Sends a file of OpenMetrics text to the server, piece by piece. */
export async function importFile(context: Context, file: string): Promise<void> {
  const lines = createInterface({ input: await openFile(file), crlfDelay: Infinity });
  const total: Imported = { file, written: 0, repeated: 0, refused: [] };
  const pieces = piecesOf(lines, PIECE_CHARACTERS);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return finish(context, total, value.isWhole);
    add(total, await send(context, { file, piece: value }));
    context.status(keptWords(total));
  }
}

async function openFile(file: string) {
  try {
    await (await open(file)).close();
    return createReadStream(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`${file} cannot be read: ${reason}`, EXIT.usage);
  }
}

async function send({ api }: Context, { file, piece }: { file: string; piece: Piece }): Promise<PushOutcome> {
  const headers = { "content-type": "application/openmetrics-text" };
  const init = { method: "POST", headers, body: piece.text };
  const response = await api.plain("/api/v1/metrics/import", init);
  const isOutcome = response.headers.get("content-type")?.startsWith("application/json");
  if (isOutcome) return (await response.json()) as PushOutcome;
  const error = await problemOf(response);
  const wrong = error instanceof AppError ? error.errors[0] : undefined;
  const line = /^line (\d+)$/.exec(wrong?.path ?? "");
  if (!wrong || !line) throw error;
  throw new CliError(`${file}:${piece.lineOf(Number(line[1]))}: ${wrong.message}`, EXIT.failed);
}

function add(total: Imported, { written, repeated, refused }: PushOutcome): void {
  total.written += written;
  total.repeated += repeated;
  for (const each of refused) {
    const known = total.refused.find(({ reason }) => reason === each.reason);
    if (known) known.count += each.count;
    else total.refused.push(each);
  }
}

function keptWords({ written }: Imported): string {
  return `${counted(written, "sample is", "samples are")} kept`;
}

function finish(context: Context, total: Imported, isWhole: boolean): void {
  show(context, { ...total, isWhole }, () => {
    const refused = total.refused.map(
      ({ reason, count, message }) =>
        `${counted(count, "sample was", "samples were")} refused (${reason}), such as: ${message}`,
    );
    const repeated =
      total.repeated === 0 ? "" : `, ${counted(total.repeated, "of them was", "of them were")} there before`;
    return [`${keptWords(total)}${repeated}`, ...refused].join("\n");
  });
  if (!isWhole) throw new CliError(`${total.file} does not end with "# EOF": it may be cut off`, EXIT.failed);
  if (total.refused.length > 0) throw new CliError("some samples were refused", EXIT.failed);
}
