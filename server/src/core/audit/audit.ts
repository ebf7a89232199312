import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import { readVisible, type Authenticated } from "../../kernel/http/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import { maskFields, type AuditEntry, type NewAuditEntry } from "./entry.ts";
import { createAuditStore, type AuditFilter, type AuditRow } from "./store.ts";

export interface AuditDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
}

export interface AuditPage {
  entries: AuditEntry[];
  /** What the next call takes to go on; null at the end. */
  cursor: string | null;
}

type Reader = Pick<Authenticated, "can">;
type ListOptions = NonNullable<Parameters<Audit["list"]>[0]>;

export interface Audit {
  /** Writes who did what, in the transaction that did it. Fields whose names mean secrets are masked. */
  record(tx: Tx, entry: NewAuditEntry): Promise<void>;
  /** Newest first. */
  list(options?: {
    cursor?: string | null | undefined;
    limit?: number;
    filter?: AuditFilter;
    /** Only what this one may see; everything unless given. */
    reader?: Reader;
  }): Promise<AuditPage>;
}

const EVERYBODY: Reader = { can: () => true };
const DEFAULT_LIMIT = 50;
const LIMIT = 500;
const SIZE_LIMIT_BYTES = 256 * 1024;

/** The record of every change of state. */
export function createAudit({ db, clock, ids }: AuditDependencies): Audit {
  const store = createAuditStore(db);

  async function record(tx: Tx, entry: NewAuditEntry): Promise<void> {
    await store.insert(tx, {
      id: ids.next("aud"),
      at: clock.now().toISOString(),
      actor: entry.actor,
      onBehalfOf: entry.onBehalfOf ?? null,
      action: entry.action,
      resource: entry.resource,
      environment: entry.environment ?? null,
      service: entry.service ?? null,
      change: entry.change ?? null,
      before: masked(entry.before),
      after: masked(entry.after),
      reason: entry.reason ?? null,
      requestId: entry.requestId ?? null,
      address: entry.address ?? null,
      stepUp: masked(entry.stepUp),
    });
  }

  async function list({
    cursor = null,
    limit = DEFAULT_LIMIT,
    filter = {},
    reader = EVERYBODY,
  }: ListOptions = {}): Promise<AuditPage> {
    const count = Math.min(Math.max(limit, 1), LIMIT);
    const { rows, next } = await readVisible(reader, "audit.read", {
      limit: count,
      cursor: cursor ?? undefined,
      read: (from) => store.list({ before: from === undefined ? null : Number(from), limit: count, filter }),
      cursorOf: ({ insertion }) => String(insertion),
    });
    return { entries: rows.map(entryOf), cursor: next };
  }

  return { record, list };
}

function masked(fields: Record<string, unknown> | null | undefined): Record<string, unknown> | null {
  if (!fields) return null;
  const clean = Object.fromEntries(Object.entries(maskFields(fields) ?? {}));
  const sizeBytes = Buffer.byteLength(JSON.stringify(clean));
  // An act must not fail because its description is long; what is left out is said.
  return sizeBytes <= SIZE_LIMIT_BYTES
    ? clean
    : { omitted: `${sizeBytes} bytes`, limit: `${SIZE_LIMIT_BYTES} bytes` };
}

function entryOf(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    index: row.index,
    at: row.at.toISOString(),
    actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
    onBehalfOf: row.on_behalf_of,
    action: row.action,
    resource: { type: row.resource_type, id: row.resource_id },
    environment: row.environment,
    service: row.service,
    change: row.change,
    before: row.before,
    after: row.after,
    reason: row.reason,
    requestId: row.request_id,
    address: row.address,
    stepUp: row.step_up,
  };
}
