import { setTimeout as delay } from "node:timers/promises";
import type { AuditLine, AuditLogResource } from "@mainstay/api";
import type { ApiClient } from "../api-client.ts";
import { createServerSource } from "../audit/log-source.ts";
import { verifyAudit } from "../audit/verify-audit.ts";

/** What the audit log says of the demo, once its signature and every leaf of it were checked. */
export interface DemoAudit {
  isWhole: boolean;
  /** Entries under the signed checkpoint. */
  entries: number;
  /** Changes that the deployer asked for. */
  changesByDeployer: number;
  findings: string[];
}

/** A checkpoint follows the entries within a second or so. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 200;
const REQUESTED = "changes.requested";

/** Verifies the log as anybody may, and counts in it what somebody of this name asked for. */
export async function checkAudit(api: ApiClient, deployer: string): Promise<DemoAudit> {
  const status = await signed(api);
  const report = await verifyAudit({
    ...{ api, source: createServerSource(api), status, vkey: status.vkey ?? "" },
    ...{ kept: [], archives: [] },
  });
  let changesByDeployer = 0;
  const query = `action=${REQUESTED}&upTo=${report.size}`;
  for await (const { entry } of api.stream<AuditLine>(`/audit/export?${query}`)) {
    if (entry.actor.name === deployer) changesByDeployer += 1;
  }
  const { isWhole, size: entries, findings } = report;
  return { isWhole, entries, changesByDeployer, findings };
}

/** The log once everything that had a number by now is signed. */
async function signed(api: ApiClient): Promise<AuditLogResource> {
  let status = await api.get<AuditLogResource>("/audit/log");
  const wanted = status.numbered;
  for (let waitedMs = 0; status.size < wanted && waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    await delay(LOOK_MS);
    status = await api.get<AuditLogResource>("/audit/log");
  }
  return status;
}
