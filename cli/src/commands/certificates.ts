import { setTimeout as delay } from "node:timers/promises";
import type { CertificateResource } from "@mainstay/api";
import type { Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { durationOption } from "../options.ts";
import { table, until } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

const RENEW_TIMEOUT_MS = 180_000;
const LOOK_MS = 500;

/** `mainstay certificates …`. */
export function addCertificates(program: Command, withContext: WithContext): void {
  const certificates = program.command("certificates").description("HTTPS: what stands for which host");
  certificates
    .command("list", { isDefault: true })
    .description("Every host of a route, and its certificate")
    .action(() => withContext(list));
  certificates
    .command("show")
    .argument("<host>")
    .description("The certificate of one host, and what keeps it from being renewed")
    .action((host: string) => withContext((context) => showOne(context, host)));
  certificates
    .command("renew")
    .argument("<host>")
    .description("Order a new certificate now, and wait for it")
    .option("--timeout <duration>", "how long to wait", durationOption, RENEW_TIMEOUT_MS)
    .addHelpText("after", "\nExample:\n  mainstay certificates renew shop.example.com --timeout 5m")
    .action((host: string, { timeout }: { timeout: number }) =>
      withContext((context) => renew(context, host, timeout)),
    );
  certificates
    .command("reload")
    .description("Read the certificate files again, as is done by itself when they change")
    .action(() => withContext(reload));
}

async function list(context: Context): Promise<void> {
  print(context, await context.api.get<{ items: CertificateResource[] }>("/certificates"));
}

async function reload(context: Context): Promise<void> {
  print(context, await context.api.post<{ items: CertificateResource[] }>("/certificates/reload"));
}

function print(context: Context, page: { items: CertificateResource[] }): void {
  show(context, page, () => {
    if (page.items.length === 0) return "No certificates: HTTPS is off, or no route names a host.";
    const rows = page.items.map((each) => [
      ...[each.host, each.state, each.source, each.issuer ?? "–"],
      ...[each.notAfter ? until(each.notAfter, context.nowMs()) : "–", each.problem ?? ""],
    ]);
    return table(["HOST", "STATE", "SOURCE", "ISSUER", "EXPIRES", "PROBLEM"], rows);
  });
}

async function showOne(context: Context, host: string): Promise<void> {
  const certificate = await context.api.get<CertificateResource>(pathOf(host));
  show(context, certificate, () => describe(certificate));
}

function describe(certificate: CertificateResource): string {
  const lines: [string, string | number | null][] = [
    ["host", certificate.host],
    ["state", certificate.state],
    ["source", certificate.source],
    ["names", certificate.names.join(", ") || null],
    ["issuer", certificate.issuer],
    ["serial", certificate.serial],
    ["sha-256", certificate.fingerprint],
    ["valid from", certificate.notBefore],
    ["valid until", certificate.notAfter],
    ["renewed at", certificate.renewAt],
    ["failed", certificate.attempts === 0 ? null : `${certificate.attempts} attempts`],
    ["last attempt", certificate.lastAttemptAt],
    ["next attempt", certificate.attempts === 0 ? null : certificate.nextAttemptAt],
    ["problem", certificate.problem],
  ];
  return lines
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name.padEnd(13)} ${value}`)
    .join("\n");
}

async function renew(context: Context, host: string, timeoutMs: number): Promise<void> {
  const before = await context.api.post<CertificateResource>(`${pathOf(host)}/renew`);
  const endMs = context.nowMs() + timeoutMs;
  if (!context.isJson) context.status(`ordering a certificate for ${host}`);
  for (;;) {
    const now = await context.api.get<CertificateResource>(pathOf(host));
    if (now.lastAttemptAt !== before.lastAttemptAt) return tellOutcome(context, now);
    if (context.nowMs() >= endMs)
      throw new CliError(`no attempt for ${host} has ended yet`, EXIT.timedOut, "it goes on in the server");
    await delay(LOOK_MS);
  }
}

function tellOutcome(context: Context, certificate: CertificateResource): void {
  const { host, attempts, problem, issuer, notAfter } = certificate;
  if (attempts === 0)
    return show(context, certificate, () => `${host}: issued by ${issuer}, until ${notAfter}`);
  if (context.isJson) context.print(JSON.stringify(certificate, null, 2));
  throw new CliError(`no certificate for ${host}: ${problem}`, EXIT.failed, "docs/guides/https.md");
}

function pathOf(host: string): string {
  return `/certificates/${encodeURIComponent(host)}`;
}
