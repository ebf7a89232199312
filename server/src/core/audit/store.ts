import { CompiledQuery, sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import { UNNUMBERED_CHANNEL, type Stream } from "../../kernel/events/index.ts";
import type { PersonalValue } from "./domain/personal.ts";
import type { Actor, AuditEntry } from "./entry.ts";

type Tables = {
  "audit.entries": {
    id: string;
    insertion: number;
    index: number | null;
    at: Date;
    actor_type: string;
    actor_id: string;
    actor_name: string | null;
    on_behalf_of: Actor | null;
    action: string;
    resource_type: string;
    resource_id: string;
    environment: string | null;
    service: string | null;
    change: string | null;
    before: Record<string, unknown> | null;
    after: Record<string, unknown> | null;
    reason: string | null;
    request_id: string | null;
    step_up: Record<string, unknown> | null;
    personal: Record<string, string> | null;
    salt: Buffer;
  };
  "audit.personal": { entry: string; field: string; person: string; salt: Buffer; value: string };
};
export type AuditRow = Selectable<Tables["audit.entries"]>;
export type PersonalRow = Selectable<Tables["audit.personal"]>;

/** What the sequencer of the events numbers here. */
export const auditStream: Stream = { table: "audit.entries", number: "index" };

/** All that is given must match. */
export interface AuditFilter {
  actor?: string | undefined;
  action?: string | undefined;
  resourceType?: string | undefined;
  resource?: string | undefined;
  service?: string | undefined;
  environment?: string | undefined;
  change?: string | undefined;
  /** RFC 3339; entries at or after this time. */
  from?: string | undefined;
  /** RFC 3339; entries before this time. */
  to?: string | undefined;
}

interface Insertion {
  entry: Omit<AuditEntry, "index" | "address">;
  personal: readonly PersonalValue[];
  /** Whether the sequencer is to be woken. */
  isRung: boolean;
}

/** SQL of the entries and of the personal data beside them. */
export function createAuditStore(database: Database) {
  const db = database.withTables<Tables>();

  function filtered(filter: AuditFilter) {
    let query = db.selectFrom("audit.entries").selectAll();
    if (filter.actor !== undefined) query = query.where("actor_id", "=", filter.actor);
    if (filter.action !== undefined) query = query.where("action", "=", filter.action);
    if (filter.resourceType !== undefined) query = query.where("resource_type", "=", filter.resourceType);
    if (filter.resource !== undefined) query = query.where("resource_id", "=", filter.resource);
    if (filter.service !== undefined) query = query.where("service", "=", filter.service);
    if (filter.environment !== undefined) query = query.where("environment", "=", filter.environment);
    if (filter.change !== undefined) query = query.where("change", "=", filter.change);
    if (filter.from !== undefined) query = query.where("at", ">=", new Date(filter.from));
    if (filter.to !== undefined) query = query.where("at", "<", new Date(filter.to));
    return query;
  }

  return {
    /** One statement, whatever there is to be written. */
    async insert(tx: Tx, insertion: Insertion): Promise<void> {
      const { personal, isRung } = insertion;
      const hasPersonal = personal.length > 0;
      const text = isRung ? insertionText(hasPersonal, true) : hasPersonal ? INSERT_PERSONAL : INSERT;
      const values = hasPersonal ? [...valuesOf(insertion), ...columnsOf(personal)] : valuesOf(insertion);
      await tx.executeQuery(CompiledQuery.raw(text, values));
    },

    /** Newest first; `before` is the insertion number of the last row already seen. */
    list: ({ before, limit, filter }: { before: number | null; limit: number; filter: AuditFilter }) => {
      const query = filtered(filter).orderBy("insertion", "desc").limit(limit);
      return (before === null ? query : query.where("insertion", "<", before)).execute();
    },

    /** Numbered entries after an index, in their order. */
    numbered: ({ after, limit, filter = {} }: { after: number; limit: number; filter?: AuditFilter }) =>
      filtered(filter).where("index", ">", after).orderBy("index").limit(limit).execute(),

    find: (key: string | number) =>
      db
        .selectFrom("audit.entries")
        .selectAll()
        .where(typeof key === "number" ? "index" : "id", "=", key)
        .executeTakeFirst(),

    /** The highest and the lowest index there is; 0 without any. */
    async bounds(): Promise<{ first: number; last: number }> {
      const { rows } = await sql<{ first: number | null; last: number | null }>`
        select min(index) as first, max(index) as last from audit.entries`.execute(db);
      return { first: rows[0]?.first ?? 0, last: rows[0]?.last ?? 0 };
    },

    /** The first entry that is not older than a time; null when all are. */
    async firstIndexFrom(time: Date): Promise<number | null> {
      const { rows } = await sql<{ index: number | null }>`
        select min(index) as index from audit.entries where at >= ${time} and index is not null`.execute(db);
      return rows[0]?.index ?? null;
    },

    personal: (entries: readonly string[]): Promise<PersonalRow[]> =>
      entries.length === 0
        ? Promise.resolve([])
        : db
            .selectFrom("audit.personal")
            .selectAll()
            .where("entry", "=", sql<string>`any(${entries})`)
            .execute(),

    /** By the id of a person, or by a value as it was written, such as an e-mail address. */
    async personalOf(person: string): Promise<{ values: number; entries: number }> {
      const { rows } = await sql<{ values: number; entries: number }>`
        select count(*) as values, count(distinct entry) as entries from audit.personal
        where person = ${person} or value = ${person}`.execute(db);
      return rows[0] ?? { values: 0, entries: 0 };
    },

    async erase(tx: Tx, person: string): Promise<void> {
      await sql`delete from audit.personal where person = ${person} or value = ${person}`.execute(tx);
    },
  };
}

/**
 * Each value gets a salt of its own, which is erased with it. The
 * text is made once: composing it anew for each entry costs more than the entry.
 */
function insertionText(hasPersonal: boolean, isRung: boolean): string {
  const keptPersonal = `given as materialized (
      select field, person, value, uuid_send(gen_random_uuid()) as salt
      from unnest($18::text[], $19::text[], $20::text[]) as t (field, person, value)
    ), kept as (
      insert into audit.personal (entry, field, person, salt, value)
      select $1, field, person, salt, value from given
    )`;
  const hashes = `(select jsonb_object_agg(
      field, encode(sha256(salt || convert_to(value, 'UTF8')), 'hex')
    ) from given)`;
  const entry = `insert into audit.entries (
      id, at, actor_type, actor_id, actor_name, on_behalf_of,
      action, resource_type, resource_id, environment, service, change, before, after, reason,
      request_id, step_up, personal
    ) values (
      $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, ${hasPersonal ? hashes : "null"}
    )`;
  const ctes = [...(hasPersonal ? [keptPersonal] : []), ...(isRung ? [`inserted as (${entry})`] : [])];
  const last = isRung ? `select pg_notify('${UNNUMBERED_CHANNEL}', '')` : entry;
  return ctes.length === 0 ? last : `with ${ctes.join(", ")} ${last}`;
}
const INSERT = insertionText(false, false);
const INSERT_PERSONAL = insertionText(true, false);

/** $1 to $17. */
function valuesOf({ entry, personal }: Insertion): unknown[] {
  const { actor, resource, environment, service } = entry;
  const isNamed = !personal.some(({ field }) => field === "/actor/name");
  return [
    ...[entry.id, entry.at, actor.type, actor.id, isNamed ? actor.name : null, json(entry.onBehalfOf)],
    ...[entry.action, resource.type, resource.id, environment, service, entry.change],
    ...[json(entry.before), json(entry.after), entry.reason, entry.requestId, json(entry.stepUp)],
  ];
}

/** $18 to $20. */
function columnsOf(personal: readonly PersonalValue[]): string[][] {
  const [fields, persons, values]: [string[], string[], string[]] = [[], [], []];
  for (const { field, person, value } of personal) {
    fields.push(field);
    persons.push(person);
    values.push(value);
  }
  return [fields, persons, values];
}

/** Text for a jsonb column. */
function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
