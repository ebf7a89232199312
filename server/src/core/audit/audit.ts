import { AppError } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import type { Database, Tx } from "../../kernel/database/index.ts";
import { readVisible, type Authenticated } from "../../kernel/http/index.ts";
import type { Ids } from "../../kernel/ids.ts";
import type { StoredEntry } from "./domain/leaf.ts";
import {
  ERASED,
  restorePersonal,
  SALT_BYTES,
  saltPersonal,
  separatePersonal,
  type Disclosed,
  type PersonalValue,
} from "./domain/personal.ts";
import { maskFields, shorten, type Actor, type AuditEntry, type NewAuditEntry } from "./entry.ts";
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

/** An entry with all that its leaf of the log is made of. */
export interface Disclosure {
  stored: StoredEntry;
  /** By JSON pointer; what was erased is missing. Salts in hexadecimal. */
  personal: Record<string, { salt: string; value: string }>;
}

export interface Erasure {
  person: string;
  reason: string | null;
  isDryRun: boolean;
}

/** Who erases, as it stands in the entry about it. */
export type ErasureOrigin = Pick<NewAuditEntry, "actor" | "onBehalfOf" | "requestId" | "address" | "stepUp">;

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
  /** By id or by index. Throws NOT_FOUND. */
  find(key: string): Promise<{ entry: AuditEntry; disclosure: Disclosure | null }>;
  /** Numbered entries after an index, the oldest first, as they are read and as they are proven. */
  after(
    index: number,
    filter: AuditFilter,
    limit?: number,
  ): Promise<{ entry: AuditEntry; disclosure: Disclosure }[]>;
  /**
   * Removes the personal data of somebody; leaves of the log stay as they are. Answers how much there was.
   */
  erase(erasure: Erasure, origin: ErasureOrigin): Promise<{ values: number; entries: number }>;
}

const EVERYBODY: Reader = { can: () => true };
const DEFAULT_LIMIT = 50;
const LIMIT = 500;
const SIZE_LIMIT_BYTES = 256 * 1024;
/** The sequencer is woken by one transaction in this time, and finds the others by looking. */
const RING_MS = 500;

/** The record of every change of state. */
export function createAudit({ db, clock, ids }: AuditDependencies): Audit {
  const store = createAuditStore(db);
  let lastRungMs = Number.NEGATIVE_INFINITY;

  /** PostgreSQL commits transactions that notify one after the other, which none but a few can afford. */
  function isRung(): boolean {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastRungMs < RING_MS) return false;
    lastRungMs = nowMs;
    return true;
  }

  async function record(tx: Tx, given: NewAuditEntry): Promise<void> {
    const { entry, personal } = separatePersonal({
      ...given,
      before: masked(given.before),
      after: masked(given.after),
      stepUp: masked(given.stepUp),
    });
    const { actor, resource } = entry;
    await store.insert(tx, {
      entry: {
        id: ids.next("aud"),
        at: clock.now().toISOString(),
        actor: isNameAside(personal) ? { ...shortenActor(actor), name: null } : shortenActor(actor),
        onBehalfOf: entry.onBehalfOf ? shortenActor(entry.onBehalfOf) : null,
        action: shorten(entry.action),
        resource: { type: shorten(resource.type), id: shorten(resource.id) },
        environment: shortenOr(entry.environment),
        service: shortenOr(entry.service),
        change: shortenOr(entry.change),
        before: entry.before ?? null,
        after: entry.after ?? null,
        reason: entry.reason ?? null,
        requestId: shortenOr(entry.requestId),
        stepUp: entry.stepUp ?? null,
      },
      ...saltPersonal(personal, ids.bytes),
      salt: ids.bytes(SALT_BYTES),
      isRung: isRung(),
    });
  }

  async function withPersonal(rows: AuditRow[]): Promise<{ row: AuditRow; personal: Disclosed }[]> {
    const isAside = ({ index, personal }: AuditRow): boolean => index !== null && personal !== null;
    const aside = await store.personal(rows.filter(isAside).map((row) => row.id));
    return rows.map((row) => ({ row, personal: row.disclosed ?? aside.get(row.id) ?? {} }));
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
    const entries = (await withPersonal(rows)).map(({ row, personal }) => entryOf(row, personal));
    return { entries, cursor: next };
  }

  async function find(key: string) {
    const row = await store.find(/^[0-9]{1,15}$/.test(key) ? Number(key) : key);
    if (!row) throw new AppError("NOT_FOUND", { what: `an audit entry ${key}` });
    const { personal = {} } = (await withPersonal([row]))[0] ?? {};
    return { entry: entryOf(row, personal), disclosure: disclosureOf(row, personal) };
  }

  async function after(index: number, filter: AuditFilter, limit = LIMIT) {
    const rows = await store.numbered({ after: index, limit, filter });
    return (await withPersonal(rows)).flatMap(({ row, personal }) => {
      const disclosure = disclosureOf(row, personal);
      return disclosure ? [{ entry: entryOf(row, personal), disclosure }] : [];
    });
  }

  async function erase({ person, reason, isDryRun }: Erasure, origin: ErasureOrigin) {
    const found = await store.personalOf(person);
    if (isDryRun || found.values === 0) return found;
    await db.transaction().execute(async (tx) => {
      await store.erase(tx, person);
      // What was erased is not written down again: an address of somebody is one.
      const id = person.includes("@") ? "by value" : person;
      const resource = { type: "person", id };
      await record(tx, { ...origin, action: "audit.erased", resource, after: { ...found }, reason });
    });
    return found;
  }

  return { record, list, find, after, erase };
}

function isNameAside(personal: readonly PersonalValue[]): boolean {
  return personal.some(({ field }) => field === "/actor/name");
}

function shortenActor({ type, id, name }: Actor): Actor {
  return { type: shorten(type), id: shorten(id), name: shorten(name) };
}

function shortenOr(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : shorten(text);
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

/** The row as its leaf is made of it. */
export function storedEntryOf(row: AuditRow & { index: number }): StoredEntry {
  const { on_behalf_of: other } = row;
  const isOtherHidden = row.personal !== null && "/onBehalfOf/name" in row.personal;
  return {
    id: row.id,
    index: row.index,
    at: row.at.toISOString(),
    actor: { type: row.actor_type, id: row.actor_id, name: row.actor_name },
    onBehalfOf: other && { ...other, name: isOtherHidden ? null : other.name },
    action: row.action,
    resource: { type: row.resource_type, id: row.resource_id },
    environment: row.environment,
    service: row.service,
    change: row.change,
    before: row.before,
    after: row.after,
    reason: row.reason,
    requestId: row.request_id,
    stepUp: row.step_up,
    personal: row.personal ?? {},
    salt: row.salt.toString("hex"),
  };
}

/** Null for an entry that has no index yet. */
function disclosureOf(row: AuditRow, personal: Disclosed): Disclosure | null {
  const { index } = row;
  if (index === null) return null;
  const values = Object.entries(personal).map(([field, { salt, value }]) => [field, { salt, value }]);
  return { stored: storedEntryOf({ ...row, index }), personal: Object.fromEntries(values) };
}

/** The row for people: personal data in its places, or that it was erased. */
function entryOf(row: AuditRow, personal: Disclosed): AuditEntry {
  const { salt: _, personal: hashes, ...stored } = storedEntryOf({ ...row, index: row.index ?? 0 });
  const entry = {
    ...stored,
    actor: { ...stored.actor, name: stored.actor.name ?? "" },
    onBehalfOf: stored.onBehalfOf && { ...stored.onBehalfOf, name: stored.onBehalfOf.name ?? "" },
    before: structuredClone(row.before),
    after: structuredClone(row.after),
    stepUp: row.step_up,
    index: row.index,
    address: null,
  };
  const values = new Map(Object.keys(hashes).map((field) => [field, ERASED]));
  for (const [field, { value }] of Object.entries(personal)) values.set(field, value);
  restorePersonal(entry, values);
  return entry;
}
