import { sql } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import { UNNUMBERED_CHANNEL, type Stream } from "../../kernel/events/index.ts";
import type { Actor, AuditEntry } from "./entry.ts";

type Tables = {
  "audit.entries": {
    id: string;
    insertion: number;
    index: number | null;
    at: Date;
    actor_type: string;
    actor_id: string;
    actor_name: string;
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
    address: string | null;
    step_up: Record<string, unknown> | null;
  };
};
export type AuditRow = Tables["audit.entries"];

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

/** All SQL of the room. */
export function createAuditStore(database: Database) {
  const db = database.withTables<Tables>();
  return {
    async insert(tx: Tx, entry: Omit<AuditEntry, "index">): Promise<void> {
      const { actor, resource, environment, service } = entry;
      await sql`with inserted as (
        insert into audit.entries (
          id, at, actor_type, actor_id, actor_name, on_behalf_of,
          action, resource_type, resource_id, environment, service, change,
          before, after, reason, request_id, address, step_up
        ) values (
          ${entry.id}, ${entry.at}, ${actor.type}, ${actor.id}, ${actor.name}, ${json(entry.onBehalfOf)},
          ${entry.action}, ${resource.type}, ${resource.id}, ${environment}, ${service}, ${entry.change},
          ${json(entry.before)}, ${json(entry.after)}, ${entry.reason},
          ${entry.requestId}, ${entry.address}, ${json(entry.stepUp)}
        )
      ) select pg_notify(${UNNUMBERED_CHANNEL}, '')`.execute(tx);
    },

    /** Newest first; `before` is the insertion number of the last row already seen. */
    list: ({ before, limit, filter }: { before: number | null; limit: number; filter: AuditFilter }) => {
      let query = db.selectFrom("audit.entries").selectAll().orderBy("insertion", "desc").limit(limit);
      if (before !== null) query = query.where("insertion", "<", before);
      if (filter.actor !== undefined) query = query.where("actor_id", "=", filter.actor);
      if (filter.action !== undefined) query = query.where("action", "=", filter.action);
      if (filter.resourceType !== undefined) query = query.where("resource_type", "=", filter.resourceType);
      if (filter.resource !== undefined) query = query.where("resource_id", "=", filter.resource);
      if (filter.service !== undefined) query = query.where("service", "=", filter.service);
      if (filter.environment !== undefined) query = query.where("environment", "=", filter.environment);
      if (filter.change !== undefined) query = query.where("change", "=", filter.change);
      if (filter.from !== undefined) query = query.where("at", ">=", new Date(filter.from));
      if (filter.to !== undefined) query = query.where("at", "<", new Date(filter.to));
      return query.execute();
    },
  };
}

/** Text for a jsonb column. */
function json(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
