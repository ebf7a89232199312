import { CompiledQuery, sql, type Selectable } from "kysely";
import { WITH_NEXT, type Database, type Tx } from "../../kernel/database/index.ts";
import { UNNUMBERED_CHANNEL, type Stream } from "../../kernel/events/index.ts";
import type { Disclosed } from "./domain/personal.ts";
import type { Actor, AuditEntry } from "./entry.ts";

type Tables = {
  /** Those with an index, of audit.entries, and those about to get one, of audit.incoming. */
  "audit.all_entries": {
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
    /** Of one without an index; of others it stands in audit.personal. */
    disclosed: Disclosed | null;
  };
  "audit.personal": { entry: string; disclosed: Disclosed };
};
export type AuditRow = Selectable<Tables["audit.all_entries"]>;

const COLUMNS = [
  ...["id", "at", "actor_type", "actor_id", "actor_name", "on_behalf_of", "action", "resource_type"],
  ...["resource_id", "environment", "service", "change", "before", "after", "reason", "request_id"],
  ...["step_up", "personal", "salt"],
].join(", ");

/** What the sequencer of the events numbers here. */
export const auditStream: Stream = {
  table: "audit.entries",
  number: "index",
  inbox: "audit.incoming",
  move: `, kept as (
      insert into audit.personal (entry, disclosed)
      select id, disclosed from numbered where disclosed is not null
    )
    insert into audit.entries (index, insertion, ${COLUMNS}) overriding system value
    select index, insertion, ${COLUMNS} from numbered order by index`,
};

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
  entry: Omit<AuditEntry, "index" | "address" | "actor"> & {
    actor: Omit<Actor, "name"> & { name: string | null };
  };
  /** JSON pointer → salted hash. */
  personal: Record<string, string> | null;
  disclosed: Disclosed | null;
  /** Of the entry. */
  salt: Uint8Array;
  /** Whether the sequencer is to be woken. */
  isRung: boolean;
}

/** SQL of the entries and of the personal data beside them. */
export function createAuditStore(database: Database) {
  const db = database.withTables<Tables>();

  function filtered(filter: AuditFilter) {
    let query = db.selectFrom("audit.all_entries").selectAll();
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
    /** Goes out with the next statement of the transaction. */
    async insert(tx: Tx, insertion: Insertion): Promise<void> {
      await tx.executeQuery(CompiledQuery.raw(INSERT, valuesOf(insertion)));
      if (insertion.isRung) await tx.executeQuery(RING);
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
        .selectFrom("audit.all_entries")
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
        select min(index) as index from audit.entries where at >= ${time}`.execute(db);
      return rows[0]?.index ?? null;
    },

    /** Personal data of entries with an index, by the id of the entry. */
    async personal(entries: readonly string[]): Promise<Map<string, Disclosed>> {
      if (entries.length === 0) return new Map();
      const rows = await db
        .selectFrom("audit.personal")
        .selectAll()
        .where("entry", "=", sql<string>`any(${entries})`)
        .execute();
      return new Map(rows.map(({ entry, disclosed }) => [entry, disclosed]));
    },

    /** By the id of a person, or by a value as it was written, such as an e-mail address. */
    async personalOf(person: string): Promise<{ values: number; entries: number }> {
      const { rows } = await sql<{ values: number; entries: number }>`
        select count(*) as values, count(distinct entry) as entries from (
          select entry, disclosed from audit.personal
          union all select id, disclosed from audit.incoming
        ) as personal, jsonb_each(disclosed) where ${isOf(person)}`.execute(db);
      return rows[0] ?? { values: 0, entries: 0 };
    },

    /** First where entries come in: the sequencer may just be moving them, and is waited for there. */
    async erase(tx: Tx, person: string): Promise<void> {
      const rest = sql`(select jsonb_object_agg(key, value) from jsonb_each(disclosed) where not ${isOf(person)})`;
      const holds = sql`exists (select from jsonb_each(disclosed) where ${isOf(person)})`;
      await sql`update audit.incoming set disclosed = ${rest} where ${holds}`.execute(tx);
      await sql`update audit.personal set disclosed = coalesce(${rest}, '{}') where ${holds}`.execute(tx);
      await sql`delete from audit.personal where disclosed = '{}'`.execute(tx);
    },
  };
}

/** Whether a value of `jsonb_each` is somebody's. */
function isOf(person: string) {
  return sql<boolean>`(value->>'person' = ${person} or value->>'value' = ${person})`;
}

/** The text is made once: composing it anew for each entry costs more than the entry. */
const INSERT = `${WITH_NEXT}insert into audit.incoming (${COLUMNS}, disclosed) values (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20
  )`;
const RING = CompiledQuery.raw(`${WITH_NEXT}notify ${UNNUMBERED_CHANNEL}`);

function valuesOf({ entry, personal, salt, disclosed }: Insertion): unknown[] {
  const { actor, resource, environment, service } = entry;
  return [
    ...[entry.id, entry.at, actor.type, actor.id, actor.name, json(entry.onBehalfOf)],
    ...[entry.action, resource.type, resource.id, environment, service, entry.change],
    ...[json(entry.before), json(entry.after), entry.reason, entry.requestId, json(entry.stepUp)],
    ...[json(personal), salt, json(disclosed)],
  ];
}

/** Text for a jsonb column. */
function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}
