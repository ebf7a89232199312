import { createHmac } from "node:crypto";
import type { Clock } from "../clock.ts";
import type { Database } from "../database/index.ts";
import type { Ids } from "../ids.ts";
import type { IdempotencyStore, IdempotentRequest, StoredAnswer } from "./idempotency.ts";

type Tables = {
  "kernel_http.idempotency_keys": {
    actor: string;
    key: string;
    fingerprint: string;
    attempt: string;
    begun_at: Date;
    status: number | null;
    headers: Record<string, string | string[]> | null;
    body: string | null;
  };
};
const TABLE = "kernel_http.idempotency_keys";

/** How long an answer is kept for whoever repeats the request. */
const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000;
/** Nobody works on a request for longer: the server that did was killed. */
const ABANDONED_AFTER_MS = 10 * 60_000;

export interface IdempotencyStoreDependencies {
  db: Database;
  clock: Clock;
  ids: Ids;
  /** Of this installation. */
  fingerprintKey(): Promise<Uint8Array>;
}

/** Idempotency keys in PostgreSQL, so that a repeat is known to every replica and after a restart. */
export function createIdempotencyStore(dependencies: IdempotencyStoreDependencies) {
  const { clock, ids, fingerprintKey } = dependencies;
  const db = dependencies.db.withTables<Tables>();

  /** True when the row was free, or what it held counts no longer. */
  async function take(request: IdempotentRequest, attempt: string): Promise<boolean> {
    const now = clock.now();
    const fresh = {
      attempt,
      fingerprint: request.fingerprint,
      begun_at: now,
      status: null,
      headers: null,
      body: null,
    };
    const taken = await db
      .insertInto(TABLE)
      .values({ actor: request.actor, key: request.key, ...fresh })
      .onConflict((conflict) =>
        conflict
          .columns(["actor", "key"])
          .doUpdateSet(fresh)
          .where(({ eb, and, or }) =>
            or([
              eb(`${TABLE}.begun_at`, "<", before(now, IDEMPOTENCY_KEPT_MS)),
              and([
                eb(`${TABLE}.status`, "is", null),
                eb(`${TABLE}.begun_at`, "<", before(now, ABANDONED_AFTER_MS)),
              ]),
            ]),
          ),
      )
      .returning("attempt")
      .executeTakeFirst();
    return taken !== undefined;
  }

  const rowOf = ({ actor, key }: IdempotentRequest) =>
    db.selectFrom(TABLE).selectAll().where("actor", "=", actor).where("key", "=", key).executeTakeFirst();

  const store: IdempotencyStore & { purge(): Promise<number> } = {
    async begin(given) {
      const keyed = createHmac("sha256", await fingerprintKey())
        .update(given.fingerprint)
        .digest("hex");
      const request = { ...given, fingerprint: keyed };
      const attempt = ids.next("att");
      if (await take(request, attempt)) return { state: "begun", attempt };
      const row = await rowOf(request);
      if (row && row.fingerprint !== request.fingerprint) return { state: "conflict" };
      if (!row || row.status === null) return { state: "running" };
      return {
        state: "done",
        answer: { status: row.status, headers: row.headers ?? {}, body: row.body ?? "" },
      };
    },

    async complete({ actor, key }, attempt, { status, headers, body }: StoredAnswer) {
      await db
        .updateTable(TABLE)
        .set({ status, headers, body })
        .where("actor", "=", actor)
        .where("key", "=", key)
        .where("attempt", "=", attempt)
        .execute();
    },

    async abandon({ actor, key }, attempt) {
      await db
        .deleteFrom(TABLE)
        .where("actor", "=", actor)
        .where("key", "=", key)
        .where("attempt", "=", attempt)
        .execute();
    },

    /** Forgets the keys that are past their time, for a daily job; answers how many. */
    async purge() {
      const oldest = before(clock.now(), IDEMPOTENCY_KEPT_MS);
      const { numDeletedRows } = await db.deleteFrom(TABLE).where("begun_at", "<", oldest).executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
  return store;
}

function before(now: Date, ms: number): Date {
  return new Date(now.getTime() - ms);
}
