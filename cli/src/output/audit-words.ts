import type { ArchiveResult, AuditDetails, AuditLogResource, AuditResource } from "@mainstay/api";
import type { AuditReport } from "../audit/verify-audit.ts";
import { ago, table } from "./table.ts";

/** Entries as a table, newest first. */
export function listWords(items: readonly AuditResource[], nowMs: number): string {
  if (items.length === 0) return "No entries.";
  const rows = items.map((each) => [
    ...[each.index === null ? "–" : String(each.index), ago(each.at, nowMs), whoIs(each), each.action],
    ...[`${each.resource.type}/${each.resource.id}`, placeOf(each), each.reason ?? ""],
  ]);
  return table(["INDEX", "WHEN", "WHO", "ACTION", "WHAT", "WHERE", "WHY"], rows);
}

/** An entry on a line, as it comes. */
export function lineOf(entry: AuditResource): string {
  const { index, at, action, resource, reason } = entry;
  const why = reason === null ? "" : ` (${reason})`;
  return `${index} ${at} ${whoIs(entry)} ${action} ${resource.type}/${resource.id} ${placeOf(entry)}${why}`;
}

/** Everything about one entry. */
export function detailWords({ entry, diff, isInLog }: AuditDetails): string {
  const facts: [string, string | null][] = [
    ["index", entry.index === null ? null : String(entry.index)],
    ["id", entry.id],
    ["at", entry.at],
    ["who", `${entry.actor.name} (${entry.actor.type} ${entry.actor.id})`],
    ["for", entry.onBehalfOf && `${entry.onBehalfOf.name} (${entry.onBehalfOf.type} ${entry.onBehalfOf.id})`],
    ["action", entry.action],
    ["what", `${entry.resource.type}/${entry.resource.id}`],
    ["where", placeOf(entry) || null],
    ["change", entry.change],
    ["why", entry.reason],
    ["from", entry.address],
    ["request", entry.requestId],
    ["step-up", entry.stepUp ? JSON.stringify(entry.stepUp) : null],
    ["in the log", isInLog ? "yes" : "not yet"],
  ];
  const lines = facts.flatMap(([name, value]) => (value ? [`${name.padEnd(10)}  ${value}`] : []));
  const changes = diff.map(({ path, before, after }) => [path || "(whole)", valueOf(before), valueOf(after)]);
  return changes.length === 0
    ? lines.join("\n")
    : [...lines, "", table(["FIELD", "BEFORE", "AFTER"], changes)].join("\n");
}

/** How the log does, and who keeps its checkpoints. */
export function logWords(status: AuditLogResource, nowMs: number): string {
  const { origin, vkey, size, numbered, signedAt, problem, keepers, archives, witnessVkey, witnessed } =
    status;
  if (origin === null)
    return problem === null ? "The log has not begun yet." : `The log cannot begin: ${problem}`;
  const behind = numbered > size ? `, ${numbered - size} more wait for it` : "";
  const lines = [
    `${origin}: ${size} entries${behind}, signed ${signedAt === null ? "never" : ago(signedAt, nowMs)}`,
    `Key: ${vkey}`,
    ...(problem === null ? [] : [`It does not go on: ${problem}`]),
    ...archives.map(({ first, last, file }) => `Archived: entries ${first} to ${last} in ${file}`),
    ...(witnessVkey === null ? [] : [`As a witness it signs with ${witnessVkey}`]),
    ...witnessed.map((each) => `Witnessed: ${each.origin}, ${each.size} entries, ${ago(each.at, nowMs)}`),
  ];
  if (keepers.length === 0)
    return [...lines, "Nobody keeps its checkpoints elsewhere: docs/guides/audit.md says how."].join("\n");
  const rows = keepers.map(({ name, target, size: kept, keptAt, kept: total, failed, problem: why }) => [
    ...[name, target, String(kept), keptAt === null ? "never" : ago(keptAt, nowMs)],
    ...[String(total), String(failed), why ?? ""],
  ]);
  return [...lines, table(["KEEPER", "TO", "ENTRIES", "WHEN", "KEPT", "FAILED", "PROBLEM"], rows)].join("\n");
}

/** What a verification came to. */
export function reportWords(report: AuditReport, isKnown: boolean): string {
  const { isWhole, origin, vkey, size, root, compared, archived, erased, keptSizes, findings } = report;
  if (!isWhole) return [`${origin}: NOT what was signed`, ...findings.map((each) => `  ${each}`)].join("\n");
  const lines = [
    `${origin}: ${size} entries are what was signed, root ${root}`,
    `${compared} of them were compared with their leaves${archived === 0 ? "" : `, ${archived} are archived`}.`,
    ...(erased === 0 ? [] : [`${erased} personal values were erased.`]),
    ...(keptSizes.length === 0
      ? []
      : [`The log goes on from the checkpoints kept at ${keptSizes.join(", ")} entries.`]),
    ...(isKnown ? [] : [`Its key was seen from here for the first time: ${vkey}`]),
  ];
  return lines.join("\n");
}

/** What was, or would be, archived. */
export function archiveWords({ dryRun, entries, first, last, files }: ArchiveResult): string {
  if (entries === 0) return "Nothing to archive: no entry in the log is older.";
  if (dryRun) return `Would move ${entries} entries, ${first} to ${last}. Nothing was done; --yes does it.`;
  const lines = files.map(({ file, sha256 }) => `  ${file}  SHA-256 ${sha256}`);
  return [`Moved ${entries} entries into audit/archive in the data directory:`, ...lines].join("\n");
}

function whoIs({ actor, onBehalfOf }: AuditResource): string {
  const name = actor.name || actor.id;
  return onBehalfOf === null ? name : `${name} for ${onBehalfOf.name || onBehalfOf.id}`;
}

function placeOf({ service, environment }: AuditResource): string {
  return [service, environment].filter(Boolean).join("/");
}

function valueOf(value: unknown): string {
  return value === null || value === undefined ? "–" : JSON.stringify(value);
}
