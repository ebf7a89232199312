import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type { AuditLine, AuditResource } from "@mainstay/api";
import { leafOf } from "@mainstay/server";
import { createVerifier, openCheckpoint, proveEntry, verifyLog } from "@mainstay/tlog";
import { CliError, EXIT } from "../cli-error.ts";
import type { RecordedSource } from "./log-source.ts";

export interface ExportRequest {
  lines: AsyncIterable<AuditLine>;
  source: RecordedSource;
  vkey: string;
  folder: string;
  format: "jsonl" | "csv";
  hasProofs: boolean;
}

export interface ExportResult {
  folder: string;
  entries: number;
  proofs: number;
  /** Entries of the log that was copied. */
  size: number;
}

/** Entries, the whole log, and for each entry its leaf and its proof: all that others need to verify it. */
export async function exportAudit(request: ExportRequest): Promise<ExportResult> {
  const { source, vkey, folder, lines, format, hasProofs } = request;
  const key = createVerifier(vkey);
  const trust = { origin: key.name, keys: [key] };
  const { checkpoint, findings } = await verifyLog({ source, trust });
  if (checkpoint === null || findings.length > 0)
    throw new CliError(
      findings[0]?.message ?? "there is no checkpoint",
      EXIT.failed,
      "mainstay audit verify",
    );
  for (const each of ["log", "proofs"]) await mkdir(path.join(folder, each), { recursive: true });
  const texts: string[] = format === "csv" ? [csvLine(CSV_COLUMNS)] : [];
  const result = { folder, entries: 0, proofs: 0, size: checkpoint.size };
  for await (const line of lines) {
    const { entry, disclosure } = line;
    texts.push(format === "csv" ? csvLine(cellsOf(entry)) : JSON.stringify(line));
    result.entries += 1;
    if (!hasProofs || disclosure.stored.index > checkpoint.size) continue;
    const base = path.join(folder, "proofs", String(disclosure.stored.index));
    await writeFile(`${base}.tlog-proof`, await proveEntry(source, checkpoint, disclosure.stored.index - 1));
    await writeFile(`${base}.json`, leafOf(disclosure.stored));
    result.proofs += 1;
  }
  await writeFile(path.join(folder, `entries.${format}`), texts.map((text) => `${text}\n`).join(""));
  for (const [name, bytes] of source.files) {
    const file = path.join(folder, "log", name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
  await writeFile(path.join(folder, "vkey"), `${vkey}\n`);
  openCheckpoint(checkpoint.note, trust);
  return result;
}

const CSV_COLUMNS =
  "index,id,at,actor,actorName,onBehalfOf,action,resourceType,resource,environment,service,change,reason,requestId,address,before,after".split(
    ",",
  );

function cellsOf(entry: AuditResource): string[] {
  const { index, id, at, actor, onBehalfOf, action, resource, environment, service, change } = entry;
  const { reason, requestId, address, before, after } = entry;
  return [
    ...[
      String(index),
      id,
      at,
      actor.id,
      actor.name,
      onBehalfOf?.id ?? "",
      action,
      resource.type,
      resource.id,
    ],
    ...[environment, service, change, reason, requestId, address].map((each) => each ?? ""),
    ...[before, after].map((each) => (each === null || each === undefined ? "" : JSON.stringify(each))),
  ];
}

/** RFC 4180; a cell that a spreadsheet would take for a formula begins with an apostrophe. */
function csvLine(cells: readonly string[]): string {
  return cells
    .map((cell) => (/^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell))
    .map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell))
    .join(",");
}
