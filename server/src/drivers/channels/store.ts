import type { DeliveryState, Topic } from "@mainstay/api";
import { sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Message } from "./domain/message.ts";

type Tables = {
  "channels.channels": {
    name: string;
    fingerprint: string;
    disabled_reason: string | null;
    dropped: number;
  };
  "channels.deliveries": {
    id: string;
    channel: string;
    topic: Topic | "test";
    mood: Message["mood"];
    subject: string;
    title: string;
    body: string;
    payload: string;
    suppressed: number;
    state: DeliveryState;
    attempts: number;
    due_at: Date;
    next_attempt_at: Date | null;
    last_attempt_at: Date | null;
    last_error: string | null;
    created_at: Date;
    finished_at: Date | null;
  };
  /** pg hands bigint out as text. */
  "channels.progress": { is_single: boolean; position: string };
};
export type ChannelRow = Selectable<Tables["channels.channels"]>;
export type DeliveryRow = Selectable<Tables["channels.deliveries"]>;
export type DeliveryKey = Pick<DeliveryRow, "channel" | "topic" | "subject">;

export interface DeliveryFilter {
  channel?: string | undefined;
  state?: DeliveryState | undefined;
  /** Only older than this id. */
  before?: string | undefined;
  limit: number;
}

/** All SQL of the room. */
export function createChannelsStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  const all = () => db.selectFrom("channels.deliveries").selectAll();
  return {
    /** Whether the event at this position comes for the first time. */
    advance: async (tx: Tx, position: number): Promise<boolean> => {
      const moved = await within(tx)
        .updateTable("channels.progress")
        .set({ position: String(position) })
        .where("position", "<", String(position))
        .executeTakeFirst();
      return moved.numUpdatedRows === 1n;
    },

    /** Takes up the channels of the configuration; what was disabled under another one is enabled again. */
    adopt: (channels: { name: string; fingerprint: string }[]) =>
      db.transaction().execute(async (tx) => {
        const names = channels.map(({ name }) => name);
        await tx
          .deleteFrom("channels.channels")
          .where(sql`name`, "!=", sql`all(${names})`)
          .execute();
        for (const { name, fingerprint } of channels) {
          const row = { name, fingerprint, disabled_reason: null, dropped: 0 };
          await tx
            .insertInto("channels.channels")
            .values(row)
            .onConflict((conflict) =>
              conflict
                .column("name")
                .doUpdateSet({ fingerprint, disabled_reason: null })
                .where("channels.channels.fingerprint", "!=", fingerprint),
            )
            .execute();
        }
      }),
    channels: () => db.selectFrom("channels.channels").selectAll().execute(),
    channel: (tx: Tx, name: string) =>
      within(tx).selectFrom("channels.channels").selectAll().where("name", "=", name).executeTakeFirst(),
    setDisabled: (tx: Tx, name: string, reason: string | null) =>
      within(tx)
        .updateTable("channels.channels")
        .set({ disabled_reason: reason })
        .where("name", "=", name)
        .execute(),
    countDropped: (tx: Tx, name: string) =>
      within(tx)
        .updateTable("channels.channels")
        .set(({ eb }) => ({ dropped: eb("dropped", "+", 1) }))
        .where("name", "=", name)
        .execute(),

    insert: (tx: Tx, row: DeliveryRow) => within(tx).insertInto("channels.deliveries").values(row).execute(),
    delivery: (id: string) => all().where("id", "=", id).executeTakeFirst(),
    countPending: async (tx: Tx, channel: string): Promise<number> => {
      const { count } = await within(tx)
        .selectFrom("channels.deliveries")
        .select(({ fn }) => fn.countAll<string>().as("count"))
        .where("state", "=", "pending")
        .where("channel", "=", channel)
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    /** When the newest on a subject were due. */
    newest: (tx: Tx, { channel, topic, subject }: DeliveryKey, limit: number) =>
      within(tx)
        .selectFrom("channels.deliveries")
        .select("due_at")
        .where("channel", "=", channel)
        .where("topic", "=", topic)
        .where("subject", "=", subject)
        .orderBy("id", "desc")
        .limit(limit)
        .execute(),
    /** Puts a message in the place of one that is still held back; false when there is none. */
    replaceHeld: async (
      tx: Tx,
      { channel, topic, subject }: DeliveryKey,
      { now, ...words }: Pick<DeliveryRow, "mood" | "title" | "body" | "payload"> & { now: Date },
    ): Promise<boolean> => {
      const replaced = await within(tx)
        .updateTable("channels.deliveries")
        .set(({ eb }) => ({ ...words, suppressed: eb("suppressed", "+", 1) }))
        .where("channel", "=", channel)
        .where("topic", "=", topic)
        .where("subject", "=", subject)
        .where("state", "=", "pending")
        .where("attempts", "=", 0)
        .where("next_attempt_at", ">", now)
        .executeTakeFirst();
      return replaced.numUpdatedRows > 0n;
    },

    pending: () => all().where("state", "=", "pending").orderBy("id").execute(),
    /** Those on the subject of a delivery that are still to be sent, up to itself, the oldest first. */
    pendingUpTo: ({ id, channel, topic, subject }: DeliveryKey & { id: string }) =>
      all()
        .where("channel", "=", channel)
        .where("topic", "=", topic)
        .where("subject", "=", subject)
        .where("state", "=", "pending")
        .where("id", "<=", id)
        .orderBy("id")
        .execute(),
    /** Counts an attempt before it begins; undefined when somebody else is at it, or it is over. */
    claim: ({ id, attempts }: Pick<DeliveryRow, "id" | "attempts">, now: Date) =>
      db
        .updateTable("channels.deliveries")
        .set({ attempts: attempts + 1, last_attempt_at: now })
        .where("id", "=", id)
        .where("state", "=", "pending")
        .where("attempts", "=", attempts)
        .returningAll()
        .executeTakeFirst(),
    update: (tx: Tx, id: string, patch: Partial<DeliveryRow>) =>
      within(tx).updateTable("channels.deliveries").set(patch).where("id", "=", id).execute(),
    /** Ends what is pending of a channel, or of every one that is not among those named; answers how many. */
    giveUp: async (
      tx: Tx,
      which: { channel: string } | { notOf: string[] },
      { error, now }: { error: string; now: Date },
    ): Promise<number> => {
      let query = within(tx)
        .updateTable("channels.deliveries")
        .set({ state: "failed", next_attempt_at: null, last_error: error, finished_at: now })
        .where("state", "=", "pending");
      if ("channel" in which) query = query.where("channel", "=", which.channel);
      else query = query.where(sql`channel`, "!=", sql`all(${which.notOf})`);
      return Number((await query.executeTakeFirst()).numUpdatedRows);
    },

    list: (filter: DeliveryFilter) => {
      let query = all().orderBy("id", "desc").limit(filter.limit);
      if (filter.channel) query = query.where("channel", "=", filter.channel);
      if (filter.state) query = query.where("state", "=", filter.state);
      if (filter.before) query = query.where("id", "<", filter.before);
      return query.execute();
    },
    counts: () =>
      db
        .selectFrom("channels.deliveries")
        .select(({ fn }) => ["channel", "state", fn.countAll<string>().as("count")] as const)
        .groupBy(["channel", "state"])
        .execute(),
    /** What the last attempt of each channel came to. */
    lastAttempts: () =>
      all()
        .distinctOn("channel")
        .where("last_attempt_at", "is not", null)
        .orderBy("channel")
        .orderBy("last_attempt_at", "desc")
        .orderBy("id", "desc")
        .execute(),
    prune: async (before: Date): Promise<number> => {
      const result = await db
        .deleteFrom("channels.deliveries")
        .where("finished_at", "<", before)
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}
export type ChannelsStore = ReturnType<typeof createChannelsStore>;
