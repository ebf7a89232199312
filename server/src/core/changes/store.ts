import type { ApprovalRule, FreezeWindow } from "@mainstay/api";
import type { GateResult, RolloutPlan, RolloutState } from "@mainstay/rollout";
import { sql, type Selectable } from "kysely";
import type { Database, Tx } from "../../kernel/database/index.ts";
import type { Approval, Person } from "./domain/given-approval.ts";
import type { Finding, JudgeSettings, Limits, Step } from "./ports.ts";
import type { HistoryEntry } from "@mainstay/evidence";
import type { JudgedEvidence } from "./judge-session.ts";

type Tables = {
  "changes.changes": {
    id: string;
    kind: string;
    target: string;
    service: string;
    environment: string;
    candidate: string;
    immediate: boolean;
    stable: string | null;
    state: RolloutState["name"];
    stage: number;
    position: RolloutState;
    plan: RolloutPlan;
    judge: JudgeSettings | null;
    limits: Limits;
    steps: Step[];
    weight: number;
    proven: number;
    requested_by: Person;
    /** Whom the requester acted for, where that is somebody else. */
    on_behalf_of: Person | null;
    reason: string | null;
    outcome: string | null;
    evidence: JudgedEvidence | null;
    gates: GateResult[];
    findings: Finding[];
    force: string[];
    freeze: FreezeWindow[];
    override_freeze: string | null;
    plan_digest: string;
    approval_rules: ApprovalRule[];
    approvals: Approval[];
    override_approval: string | null;
    first_candidate_at: Date | null;
    created_at: Date;
    updated_at: Date;
    finished_at: Date | null;
    version: number;
  };
  "changes.timeline": {
    change: string;
    seq: number;
    at: Date;
    from_state: string;
    to_state: string;
    stage: number;
    by: string;
    reason: string;
    evidence: JudgedEvidence | null;
    /** As they stood; null when there were none. */
    gates: GateResult[] | null;
  };
  "changes.samples": { change: string; seq: number; at: Date; history: HistoryEntry[] };
  "changes.locks": { target: string; change: string; owner: string; heartbeat_at: Date; expires_at: Date };
};
export type ChangeRow = Selectable<Tables["changes.changes"]>;
export type TimelineRow = Selectable<Tables["changes.timeline"]>;
export type SampleRow = Selectable<Tables["changes.samples"]>;
export type LockRow = Selectable<Tables["changes.locks"]>;

export interface ChangeFilter {
  service?: string | undefined;
  environment?: string | undefined;
  active?: boolean | undefined;
  /** Only older than this id. */
  before?: string | undefined;
  limit: number;
}

const JSON_COLUMNS = new Set([
  "position",
  "plan",
  "judge",
  "limits",
  "steps",
  "requested_by",
  "on_behalf_of",
  "evidence",
  "gates",
  "findings",
  "force",
  "freeze",
  "approval_rules",
  "approvals",
  "history",
]);

/** pg sends arrays as PostgreSQL arrays and objects as JSON; jsonb columns want JSON in either case. */
function encode<Row extends object>(row: Row): Row {
  const pairs = Object.entries(row).map(([key, value]) => [
    key,
    JSON_COLUMNS.has(key) && value !== null ? JSON.stringify(value) : value,
  ]);
  return Object.fromEntries(pairs) as Row;
}

/** Who holds locks, as of when, until when. */
export interface Lease {
  owner: string;
  now: Date;
  expiresAt: Date;
}

/** Rings at every committed transition and evaluation; the payload is the change's id. */
export const CHANGES_CHANNEL = "mainstay_changes";

/** All SQL of the room. */
export function createChangesStore(database: Database) {
  const db = database.withTables<Tables>();
  const within = (tx: Tx) => tx.withTables<Tables>();
  const notify = (tx: Tx, id: string) => sql`select pg_notify(${CHANGES_CHANNEL}, ${id})`.execute(tx);
  return {
    insert: async (tx: Tx, row: ChangeRow) => {
      await within(tx).insertInto("changes.changes").values(encode(row)).execute();
      await notify(tx, row.id);
    },
    change: (id: string) =>
      db.selectFrom("changes.changes").selectAll().where("id", "=", id).executeTakeFirst(),
    list: (filter: ChangeFilter) => {
      let query = db.selectFrom("changes.changes").selectAll().orderBy("id", "desc").limit(filter.limit);
      if (filter.service) query = query.where("service", "=", filter.service);
      if (filter.environment) query = query.where("environment", "=", filter.environment);
      if (filter.active) query = query.where("finished_at", "is", null);
      if (filter.before) query = query.where("id", "<", filter.before);
      return query.execute();
    },
    active: () =>
      db.selectFrom("changes.changes").selectAll().where("finished_at", "is", null).orderBy("id").execute(),
    /** What changes under way are about, and what the last release of each target came after. */
    referenced: async (): Promise<string[]> => {
      const named = db.selectFrom("changes.changes").select(["candidate", "stable"]);
      const last = named
        .distinctOn("target")
        .where("kind", "in", ["release", "setting"])
        .where("state", "=", "succeeded");
      const rows = await Promise.all([
        named.where("finished_at", "is", null).execute(),
        last.orderBy("target").orderBy("id", "desc").execute(),
      ]);
      return rows
        .flat()
        .flatMap(({ candidate, stable }) => (stable === null ? [candidate] : [candidate, stable]));
    },
    activeFor: (target: string) =>
      db
        .selectFrom("changes.changes")
        .selectAll()
        .where("target", "=", target)
        .where("finished_at", "is", null)
        .orderBy("id")
        .execute(),
    /** Writes a patch if nobody else wrote since `version`; says whether it did. */
    update: async (
      tx: Tx,
      { id, version }: Pick<ChangeRow, "id" | "version">,
      patch: Partial<ChangeRow>,
    ): Promise<boolean> => {
      const result = await within(tx)
        .updateTable("changes.changes")
        .set(encode({ ...patch, version: version + 1 }))
        .where("id", "=", id)
        .where("version", "=", version)
        .executeTakeFirst();
      await notify(tx, id);
      return result.numUpdatedRows === 1n;
    },
    appendTimeline: async (tx: Tx, entry: Omit<TimelineRow, "seq">) => {
      const last = await within(tx)
        .selectFrom("changes.timeline")
        .select(({ fn }) => fn.max("seq").as("seq"))
        .where("change", "=", entry.change)
        .executeTakeFirst();
      const seq = (last?.seq ?? -1) + 1;
      await within(tx)
        .insertInto("changes.timeline")
        .values(encode({ ...entry, seq }))
        .execute();
    },
    timeline: (change: string) =>
      db.selectFrom("changes.timeline").selectAll().where("change", "=", change).orderBy("seq").execute(),
    /**
     * What the judge saw and what it made of it, together. Not
     * a transition: it neither needs nor changes the version.
     */
    recordEvidence: (sample: SampleRow, evidence: JudgedEvidence, firstCandidateAt: Date | null) =>
      db.transaction().execute(async (tx) => {
        await tx.insertInto("changes.samples").values(encode(sample)).execute();
        const patch = encode({ evidence, first_candidate_at: firstCandidateAt, updated_at: sample.at });
        await tx.updateTable("changes.changes").set(patch).where("id", "=", sample.change).execute();
        await sql`select pg_notify(${CHANGES_CHANNEL}, ${sample.change})`.execute(tx);
      }),
    /** Where the gates stand: like evidence, it neither needs nor changes the version. */
    keepGates: async (tx: Tx, { id, gates, at }: { id: string; gates: GateResult[]; at: Date }) => {
      const patch = encode({ gates, updated_at: at });
      await within(tx).updateTable("changes.changes").set(patch).where("id", "=", id).execute();
      await notify(tx, id);
    },
    samples: (change: string) =>
      db.selectFrom("changes.samples").selectAll().where("change", "=", change).orderBy("seq").execute(),
    pruneSamples: async (before: Date): Promise<number> => {
      const result = await db.deleteFrom("changes.samples").where("at", "<", before).executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    lock: (target: string) =>
      db.selectFrom("changes.locks").selectAll().where("target", "=", target).executeTakeFirst(),
    locks: () => db.selectFrom("changes.locks").selectAll().orderBy("target").execute(),
    /** Takes a free lock, or one whose owner stopped beating; says whether it is now held. */
    takeLock: async (tx: Tx, row: LockRow): Promise<boolean> => {
      const result = await within(tx)
        .insertInto("changes.locks")
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) === 1n;
    },
    releaseLock: (tx: Tx, change: string) =>
      within(tx).deleteFrom("changes.locks").where("change", "=", change).execute(),
    /**
     * Renews the lease of a change's lock, or takes it over
     * once it ran out; says whether this owner holds it now.
     */
    beat: async (change: string, { owner, now, expiresAt }: Lease): Promise<boolean> => {
      const result = await db
        .updateTable("changes.locks")
        .set({ owner, heartbeat_at: now, expires_at: expiresAt })
        .where("change", "=", change)
        .where(({ eb, or }) => or([eb("owner", "=", owner), eb("expires_at", "<", now)]))
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    },
  };
}
export type ChangesStore = ReturnType<typeof createChangesStore>;
