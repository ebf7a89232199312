import { createHash } from "node:crypto";
import type { AuditLine, AuditLogResource, DisclosureResource } from "@mainstay/api";
import { digestOfSalted, leafOf } from "@mainstay/server";
import {
  createLogReader,
  createVerifier,
  hashLeaf,
  openCheckpoint,
  verifyLog,
  type LogReader,
  type LogSource,
  type SignedCheckpoint,
} from "@mainstay/tlog";
import type { ApiClient } from "../api-client.ts";

export interface AuditQuestion {
  api: Pick<ApiClient, "stream">;
  source: LogSource;
  status: AuditLogResource;
  /** The key that the log has to have. */
  vkey: string;
  /** Checkpoints that were kept: signed notes. */
  kept: readonly string[];
  /** Texts of archives. */
  archives: readonly string[];
}

export interface AuditReport {
  isWhole: boolean;
  origin: string;
  vkey: string;
  size: number;
  root: string | null;
  /** Leaves that were compared with the database, or with an archive. */
  compared: number;
  /** Leaves whose entry is archived and was not at hand. */
  archived: number;
  /** Personal values that were erased. */
  erased: number;
  keptSizes: number[];
  findings: string[];
  /** The checkpoint that was verified; null when there is none that can be trusted. */
  note: string | null;
}

const FINDINGS_MAX = 100;

/** Checks signature, tiles and kept checkpoints, then every entry of the database against its leaf. */
export async function verifyAudit(question: AuditQuestion): Promise<AuditReport> {
  const { source, vkey, kept } = question;
  const key = createVerifier(vkey);
  const trust = { origin: key.name, keys: [key] };
  const retained = kept.map((note) => openCheckpoint(note, trust));
  const { checkpoint, findings } = await verifyLog({ source, trust, retained });
  const report: AuditReport = {
    ...{
      isWhole: false,
      origin: key.name,
      vkey,
      size: checkpoint?.size ?? 0,
      note: checkpoint?.note ?? null,
    },
    root: checkpoint === null ? null : Buffer.from(checkpoint.root).toString("base64"),
    ...{ compared: 0, archived: 0, erased: 0 },
    keptSizes: retained.map(({ size }) => size),
    findings: findings.map(({ message }) => message),
  };
  if (checkpoint !== null && findings.length === 0) await compareEntries(question, checkpoint, report);
  return { ...report, isWhole: report.findings.length === 0 };
}

async function compareEntries(
  question: AuditQuestion,
  checkpoint: SignedCheckpoint,
  report: AuditReport,
): Promise<void> {
  const reader = createLogReader(question.source, checkpoint.size);
  const seen = await compareArchives(question, reader, report);
  let next = 1;
  const expect = (index: number) => {
    for (; next < index && report.findings.length < FINDINGS_MAX; next += 1) {
      if (seen.has(next)) continue;
      if (question.status.archives.some(({ first, last }) => first <= next && next <= last))
        report.archived += 1;
      else report.findings.push(`the entry ${next} is in the log and not in the database`);
    }
    next = index + 1;
  };
  for await (const line of question.api.stream<AuditLine>(`/audit/export?upTo=${checkpoint.size}`)) {
    const { disclosure } = line;
    expect(disclosure.stored.index);
    await compareEntry(disclosure, reader, report);
    if (report.findings.length >= FINDINGS_MAX) return;
  }
  expect(checkpoint.size + 1);
}

async function compareEntry(
  { stored, personal }: DisclosureResource,
  reader: LogReader,
  report: AuditReport,
): Promise<void> {
  const { index } = stored;
  report.compared += 1;
  if (!(await isLeaf(reader, index, leafOf(stored))))
    report.findings.push(`the entry ${index} of the database is not the one in the log`);
  for (const [field, hash] of Object.entries(stored.personal)) {
    const shown = personal[field];
    if (shown === undefined) report.erased += 1;
    else if (digestOfSalted(shown.salt, shown.value) !== hash)
      report.findings.push(`${field} of the entry ${index} is not what was written`);
  }
}

async function isLeaf(reader: LogReader, index: number, leaf: Uint8Array): Promise<boolean> {
  const expected = await reader.hashOf({ start: index - 1, end: index });
  return Buffer.from(expected).equals(hashLeaf(leaf));
}

/** The indexes that archives hold, each compared with its leaf. */
async function compareArchives(
  { archives, status }: AuditQuestion,
  reader: LogReader,
  report: AuditReport,
): Promise<Set<number>> {
  const seen = new Set<number>();
  for (const text of archives) {
    const sha256 = createHash("sha256").update(text).digest("hex");
    if (!status.archives.some((each) => each.sha256 === sha256))
      report.findings.push(`an archive with the digest ${sha256} is not one that this server made`);
    for (const line of text.split("\n").filter((each) => each !== "")) {
      const stored: DisclosureResource["stored"] = JSON.parse(line);
      seen.add(stored.index);
      await compareEntry({ stored, personal: {} }, reader, report);
    }
  }
  return seen;
}
