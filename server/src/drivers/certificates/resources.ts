import type { CertificateResource } from "@mainstay/api";
import { readCertificate, type CertificateFacts } from "./domain/certificate.ts";
import type { FileProblem } from "./file-certificates.ts";
import type { CertificateRow } from "./store.ts";

/** Certificates as they go over the wire. */

const NOTHING = {
  names: [],
  issuer: null,
  serial: null,
  fingerprint: null,
  notBefore: null,
  notAfter: null,
  renewAt: null,
  attempts: 0,
  lastAttemptAt: null,
  nextAttemptAt: null,
};

export function fromFile(
  host: string,
  { facts, problem, now }: { facts: CertificateFacts; problem: string | null; now: Date },
): CertificateResource {
  const state = facts.notAfter <= now ? "expired" : "valid";
  return { ...NOTHING, host, source: "file", state, ...describe(facts), problem };
}

/** A file that nothing could be read of yet: it goes by its own name. */
export function fromBrokenFile({ file, reason }: FileProblem): CertificateResource {
  return { ...NOTHING, host: file, source: "file", state: "failed", problem: reason };
}

export function fromAuthority(row: CertificateRow, now: Date): CertificateResource {
  const { host, chain, attempts, problem, not_after } = row;
  const facts = chain === null ? null : readCertificate(chain);
  const missing = attempts > 0 ? "failed" : "pending";
  const state = facts ? (not_after !== null && not_after <= now ? "expired" : "valid") : missing;
  const next = row.next_attempt_at.toISOString();
  return {
    ...NOTHING,
    ...{ host, source: "acme", state },
    ...(facts ? describe(facts) : {}),
    renewAt: facts && attempts === 0 ? next : null,
    attempts,
    lastAttemptAt: row.last_attempt_at?.toISOString() ?? null,
    nextAttemptAt: next,
    problem,
  };
}

export function withoutCertificate(host: string, problem: string): CertificateResource {
  return { ...NOTHING, host, source: "none", state: "self-signed", problem };
}

function describe({ names, issuer, serial, fingerprint, notBefore, notAfter }: CertificateFacts) {
  return {
    names,
    issuer,
    serial,
    fingerprint,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
  };
}
