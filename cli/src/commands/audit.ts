import { readFile, writeFile } from "node:fs/promises";
import type {
  ArchiveResult,
  AuditDetails,
  AuditLine,
  AuditLogResource,
  AuditResource,
  ErasureResult,
} from "@mainstay/api";
import { leafOf } from "@mainstay/server";
import { createVerifier, verifyProof } from "@mainstay/tlog";
import type { Command } from "commander";
import { exportAudit } from "../audit/export-audit.ts";
import { keptPath, readKept, writeKept } from "../audit/kept-checkpoint.ts";
import { createServerSource } from "../audit/log-source.ts";
import { verifyAudit } from "../audit/verify-audit.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { countOption, listOption } from "../options.ts";
import {
  archiveWords,
  detailWords,
  lineOf,
  listWords,
  logWords,
  reportWords,
} from "../output/audit-words.ts";
import type { WithContext } from "./deploy.ts";

interface FilterOptions {
  actor?: string;
  action?: string;
  resource?: string;
  environment?: string;
  service?: string;
  change?: string;
  from?: string;
  to?: string;
}

/** `mainstay audit …` */
export function addAudit(program: Command, withContext: WithContext): void {
  const audit = program
    .command("audit")
    .description("Who did what, and the proof that nobody altered it since");
  addReading(audit, withContext);
  addProving(audit, withContext);
  addKeeping(audit, withContext);
}

function addReading(audit: Command, withContext: WithContext): void {
  withFilters(audit.command("list", { isDefault: true }))
    .description("Entries, newest first")
    .option("--limit <count>", "how many", countOption, 50)
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay audit list --service shop --from 2026-11-01T00:00:00Z\n  mainstay audit list --actor usr_1 --action secrets.rotated --json",
    )
    .action((options: FilterOptions & { limit: number }) => withContext((context) => list(context, options)));
  audit
    .command("show")
    .argument("<entry>", "its index or its id")
    .description("One entry: who, why, from where, and what it altered")
    .addHelpText("after", "\nExample:\n  mainstay audit show 17")
    .action((id: string) => withContext((context) => showEntry(context, id)));
  withFilters(audit.command("tail"))
    .description("Entries as they come, until Ctrl-C")
    .option("--after <index>", "from this one on, instead of from now on")
    .addHelpText("after", "\nExample:\n  mainstay audit tail --service shop")
    .action((options: FilterOptions & { after?: string }) =>
      withContext((context) => tail(context, options)),
    );
  audit
    .command("log")
    .description("The signed log over the audit: its key, how far it is, who keeps its checkpoints")
    .action(() => withContext(log));
}

function addProving(audit: Command, withContext: WithContext): void {
  audit
    .command("verify")
    .description("Check signature, every entry, and that nothing was taken back since earlier checks")
    .option("--since <file>", "a checkpoint that was kept elsewhere (repeatable)", listOption, [])
    .option("--key <vkey>", "the key of the log, known from elsewhere; else the one first seen from here")
    .option("--archive <file>", "an archive whose entries are compared too (repeatable)", listOption, [])
    .addHelpText(
      "after",
      "\nIt remembers the newest checkpoint it has verified, and the next check has to go on from there.\n\nExamples:\n  mainstay audit verify\n  mainstay audit verify --since /mnt/other/checkpoint",
    )
    .action((options: VerifyOptions) => withContext((context) => verify(context, options)));
  audit
    .command("prove")
    .argument("<entry>", "its index or its id")
    .description("Write the proof that an entry is in the log, and the entry as the log has it")
    .option("--output <path>", "where to, without an ending; else the index")
    .addHelpText(
      "after",
      "\nExample:\n  mainstay audit prove 17\n  node docs/verify-log.mjs --key <vkey> --proof 17.tlog-proof --entry 17.json",
    )
    .action((id: string, options: { output?: string }) =>
      withContext((context) => prove(context, id, options)),
    );
  withFilters(audit.command("export"))
    .description("Write entries, their proofs and the whole log into a folder, for others to verify")
    .requiredOption("--output <folder>", "where to")
    .option("--format <format>", "jsonl or csv", "jsonl")
    .option("--no-proofs", "without a proof for each entry")
    .addHelpText(
      "after",
      '\nExample:\n  mainstay audit export --output audit-2026 --from 2026-01-01T00:00:00Z --format csv\n  node docs/verify-log.mjs --key "$(cat audit-2026/vkey)" audit-2026/log',
    )
    .action((options: ExportOptions) => withContext((context) => exportTo(context, options)));
}

function addKeeping(audit: Command, withContext: WithContext): void {
  audit
    .command("erase")
    .description("Erase name, e-mail and addresses of a person; the log stays whole")
    .requiredOption("--person <id>", "id of a user or key, or a value such as an e-mail address")
    .option("--reason <text>", "for the audit log")
    .option("--yes", "do it; else it is only said what would be erased", false)
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay audit erase --person usr_1\n  mainstay audit erase --person ada@example.com --yes",
    )
    .action((options: { person: string; reason?: string; yes: boolean }) =>
      withContext((context) => erase(context, options)),
    );
  audit
    .command("archive")
    .description("Move old entries out of the database into files on the server; the log stays whole")
    .requiredOption("--before <time>", "RFC 3339, as in 2026-01-01T00:00:00Z")
    .option("--reason <text>", "for the audit log")
    .option("--yes", "do it; else it is only said what would be moved", false)
    .addHelpText("after", "\nExample:\n  mainstay audit archive --before 2026-01-01T00:00:00Z --yes")
    .action((options: { before: string; reason?: string; yes: boolean }) =>
      withContext((context) => archive(context, options)),
    );
}

function withFilters(command: Command): Command {
  return command
    .option("--actor <id>", "of one user, key or system")
    .option("--action <action>", "such as changes.requested")
    .option("--resource <id>", "about one thing; also <type>/<id>")
    .option("--environment <name>", "in one environment")
    .option("--service <name>", "about one service")
    .option("--change <id>", "part of one change")
    .option("--from <time>", "at or after; RFC 3339")
    .option("--to <time>", "before; RFC 3339");
}

function queryOf(options: FilterOptions, more: Record<string, string> = {}): string {
  const { actor, action, resource, environment, service, change, from, to } = options;
  const [type, ...rest] = resource?.includes("/") ? resource.split("/") : [undefined, resource];
  const given = { actor, action, environment, service, change, resourceType: type, resource: rest.join("/") };
  const query = new URLSearchParams(more);
  for (const [name, value] of Object.entries({ ...given, from: instant(from), to: instant(to) })) {
    if (value !== undefined && value !== "") query.set(name, value);
  }
  return query.toString();
}

function instant(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (Number.isNaN(Date.parse(text)))
    throw new CliError(`"${text}" is not a time`, EXIT.usage, "Write it as 2026-11-01T00:00:00Z.");
  return new Date(text).toISOString();
}

async function list(
  context: Context,
  { limit, ...filter }: FilterOptions & { limit: number },
): Promise<void> {
  const items: AuditResource[] = [];
  let cursor: string | null = "";
  while (cursor !== null && items.length < limit) {
    const more = { limit: String(Math.min(limit - items.length, 200)), ...(cursor ? { cursor } : {}) };
    const page: { items: AuditResource[]; next: string | null } = await context.api.get(
      `/audit?${queryOf(filter, more)}`,
    );
    items.push(...page.items);
    cursor = page.next;
  }
  show(context, { items, next: cursor }, () => listWords(items, context.nowMs()));
}

async function showEntry(context: Context, id: string): Promise<void> {
  const details = await context.api.get<AuditDetails>(`/audit/entries/${encodeURIComponent(id)}`);
  show(context, details, () => detailWords(details));
}

async function tail(
  context: Context,
  { after, ...filter }: FilterOptions & { after?: string },
): Promise<void> {
  const query = queryOf(filter, after === undefined ? {} : { after });
  for await (const entry of context.api.stream<AuditResource>(`/audit/tail?${query}`)) {
    context.print(context.isJson ? JSON.stringify(entry) : lineOf(entry));
  }
}

async function log(context: Context): Promise<void> {
  const status = await context.api.get<AuditLogResource>("/audit/log");
  show(context, status, () => logWords(status, context.nowMs()));
}

interface VerifyOptions {
  since: string[];
  key?: string;
  archive: string[];
}

async function verify(context: Context, options: VerifyOptions): Promise<void> {
  const { status, vkey, file, kept } = await trusted(context, options.key);
  const since = await Promise.all(options.since.map((each) => readText(each)));
  const archives = await Promise.all(options.archive.map((each) => readText(each)));
  const report = await verifyAudit({
    ...{ api: context.api, source: createServerSource(context.api), status, vkey, archives },
    kept: [...(kept ? [kept.note] : []), ...since],
  });
  const { note, ...shown } = report;
  if (report.isWhole && note !== null) await writeKept(file, { url: context.server.url, vkey, note });
  show(context, shown, () => reportWords(report, kept !== null));
  if (!report.isWhole)
    throw new CliError("the audit log is not what was signed", EXIT.failed, "docs/guides/audit.md");
}

/** The key of the log: the one that was given, or seen from here before, or the server's the first time. */
async function trusted(context: Context, given: string | undefined) {
  const status = await context.api.get<AuditLogResource>("/audit/log");
  const file = keptPath(context.server.url, process.env);
  const kept = await readKept(file);
  const vkey = given ?? kept?.vkey ?? status.vkey;
  if (vkey === null || status.size === 0)
    throw new CliError("nothing has been signed yet", EXIT.failed, status.problem ?? "mainstay audit log");
  if (kept !== null && kept.vkey !== vkey)
    throw new CliError(
      `from here the key ${kept.vkey} was seen`,
      EXIT.failed,
      `Remove ${file} if it was replaced.`,
    );
  if (status.vkey !== vkey)
    throw new CliError(
      `the log has the key ${status.vkey}, not ${vkey}`,
      EXIT.failed,
      "docs/guides/audit.md",
    );
  return { status, vkey, file, kept };
}

function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${file} cannot be read: ${error.code ?? error.message}`, EXIT.usage);
  });
}

async function prove(context: Context, id: string, { output }: { output?: string }): Promise<void> {
  const { vkey } = await trusted(context, undefined);
  const details = await context.api.get<AuditDetails>(`/audit/entries/${encodeURIComponent(id)}`);
  if (details.disclosure === null)
    throw new CliError(`${id} is not in the log yet`, EXIT.failed, "Ask again in a second.");
  const { stored } = details.disclosure;
  const response = await context.api.attempt(`/audit/entries/${stored.id}/proof`, {});
  const [proof, leaf, key] = [await response.text(), leafOf(stored), createVerifier(vkey)];
  const checkpoint = verifyProof(proof, leaf, { origin: key.name, keys: [key] });
  const base = output ?? String(stored.index);
  const files = { proof: `${base}.tlog-proof`, entry: `${base}.json` };
  await writeFile(files.proof, proof);
  await writeFile(files.entry, leaf);
  const document = { index: stored.index, id: stored.id, vkey, size: checkpoint.size, ...files };
  show(context, document, () =>
    [
      `The entry ${stored.index} (${stored.action}) is in the log of ${checkpoint.size} entries: ${files.proof}, ${files.entry}`,
      `node docs/verify-log.mjs --key ${vkey} --proof ${files.proof} --entry ${files.entry}`,
    ].join("\n"),
  );
}

interface ExportOptions extends FilterOptions {
  output: string;
  format: string;
  proofs: boolean;
}

async function exportTo(
  context: Context,
  { output, format, proofs, ...filter }: ExportOptions,
): Promise<void> {
  if (format !== "jsonl" && format !== "csv")
    throw new CliError(`there is no format ${format}`, EXIT.usage, "Use jsonl or csv.");
  const { vkey } = await trusted(context, undefined);
  const result = await exportAudit({
    lines: context.api.stream<AuditLine>(`/audit/export?${queryOf(filter)}`),
    ...{ source: createServerSource(context.api), vkey, folder: output, format, hasProofs: proofs },
  });
  show(context, { ...result, vkey }, () =>
    [
      `${result.entries} entries and ${result.proofs} proofs are in ${output}, and the log of ${result.size} entries.`,
      `node docs/verify-log.mjs --key ${vkey} ${output}/log`,
    ].join("\n"),
  );
}

async function erase(
  context: Context,
  { person, reason, yes }: { person: string; reason?: string; yes: boolean },
): Promise<void> {
  const body = { person, reason: reason ?? null, dryRun: !yes };
  const result = await context.api.post<ErasureResult>("/audit/erase", body);
  const what = `${result.values} values in ${result.entries} entries`;
  show(context, result, () =>
    yes ? `Erased: ${what}.` : `Would erase ${what}. Nothing was done; --yes does it.`,
  );
}

async function archive(
  context: Context,
  { before, reason, yes }: { before: string; reason?: string; yes: boolean },
): Promise<void> {
  const body = { before: instant(before), reason: reason ?? null, dryRun: !yes };
  const result = await context.api.post<ArchiveResult>("/audit/archive", body);
  show(context, result, () => archiveWords(result));
}
