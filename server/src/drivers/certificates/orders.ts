import type { AgentClient } from "@mainstay/agent";
import type { Audit } from "../../core/audit/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Database } from "../../kernel/database/index.ts";
import type { TypedEvents } from "../../kernel/events/index.ts";
import type { Random } from "../../kernel/ids.ts";
import type { Log } from "../../kernel/log.ts";
import type { Authority, Issued } from "./authority.ts";
import type { CertificateFacts } from "./domain/certificate.ts";
import { backOffMs, renewalTime } from "./domain/schedule.ts";
import type { IssuedCertificates } from "./issued-certificates.ts";
import type { CertificateRow, CertificatesStore } from "./store.ts";

export interface OrdersDependencies {
  db: Database;
  store: CertificatesStore;
  issued: IssuedCertificates;
  authority: Authority;
  agent: Pick<AgentClient, "putChallenges">;
  audit: Audit;
  events: TypedEvents;
  clock: Clock;
  random: Random;
  log: Log;
  /** Names this server among others that use the same database. */
  owner: string;
}

const SYSTEM = { type: "system", id: "mainstay", name: "Mainstay" };
/** Longer than an order can take. */
const LEASE_MS = 15 * 60_000;
const REASON_LIMIT = 500;

/** Orders certificates, one at a time over all servers; every attempt leaves its audit row and its event. */
export function createOrders(dependencies: OrdersDependencies) {
  const { db, store, issued, authority, agent, audit, events, clock, random, log, owner } = dependencies;
  const chance = (): number => Buffer.from(random(4)).readUInt32BE() / 2 ** 32;

  /**
   * False when another server is ordering just now; a row that is another by now is to be looked at again.
   */
  async function place(row: CertificateRow): Promise<boolean> {
    const now = clock.now();
    const isMine = await store.takeLease(owner, { now, expiresAt: new Date(now.getTime() + LEASE_MS) });
    if (!isMine) return false;
    try {
      // Whoever held the lease a moment ago may have ordered this very certificate since the row was read.
      const { next_attempt_at: dueAt } = (await store.row(row.host)) ?? {};
      const isAsRead = dueAt?.getTime() === row.next_attempt_at.getTime();
      if (isAsRead) await attempt(row);
    } finally {
      await store.giveLease(owner, clock.now());
    }
    return true;
  }

  async function attempt(row: CertificateRow): Promise<void> {
    try {
      const got = await authority.issue(row.host, async (challenge) => {
        await agent.putChallenges([challenge]);
        return () => agent.putChallenges([]);
      });
      await succeed(row, got);
    } catch (error) {
      await fail(row, reasonOf(error));
    }
  }

  async function succeed(row: CertificateRow, got: Issued): Promise<void> {
    const { host, chain: before } = row;
    const facts = await issued.keep(host, got);
    const now = clock.now();
    const renewAt = renewalTime(facts, chance());
    await db.transaction().execute(async (tx) => {
      await store.update(tx, host, {
        ...{ chain: got.chain, not_before: facts.notBefore, not_after: facts.notAfter },
        ...{ attempts: 0, problem: null, last_attempt_at: now, next_attempt_at: renewAt, updated_at: now },
      });
      const resource = { type: "certificate", id: host };
      const after = describe(facts, renewAt);
      await audit.record(tx, { actor: SYSTEM, action: "certificates.issued", resource, after });
      const { issuer, notAfter } = after;
      const data = { host, issuer, notAfter, isRenewal: before !== null };
      await events.emit(tx, { type: "certificates.issued", subject: host, data });
    });
    log.info({ host, notAfter: facts.notAfter, issuer: facts.issuer }, "a certificate was issued");
    if (before !== null) await issued.forget(host, before);
  }

  async function fail(row: CertificateRow, reason: string): Promise<void> {
    const { host, not_after: notAfter } = row;
    const attempts = row.attempts + 1;
    const now = clock.now();
    const next = new Date(now.getTime() + backOffMs(attempts, chance()));
    await db.transaction().execute(async (tx) => {
      await store.update(tx, host, {
        ...{ attempts, problem: reason, last_attempt_at: now, next_attempt_at: next, updated_at: now },
      });
      const resource = { type: "certificate", id: host };
      const after = { attempts, nextAttemptAt: next.toISOString() };
      await audit.record(tx, {
        actor: SYSTEM,
        action: "certificates.attempt_failed",
        resource,
        after,
        reason,
      });
      const data = { host, reason, ...after, notAfter: notAfter?.toISOString() ?? null };
      await events.emit(tx, { type: "certificates.failed", subject: host, data });
    });
    log.warn({ host, reason, attempts, nextAttemptAt: next }, "a certificate could not be had");
  }

  return { place };
}

function describe({ issuer, serial, notAfter }: CertificateFacts, renewAt: Date) {
  return { issuer, serial, notAfter: notAfter.toISOString(), renewAt: renewAt.toISOString() };
}

/** The words of the authority, or of whatever kept it from being asked. */
function reasonOf(error: unknown): string {
  const isError = error instanceof Error;
  const code = isError && "code" in error ? String(error.code) : "";
  const words = isError && error.message !== "" ? error.message : code || String(error);
  return words.replaceAll(/\s+/g, " ").slice(0, REASON_LIMIT);
}
