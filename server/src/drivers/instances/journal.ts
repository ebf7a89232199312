import type { JournalEntry } from "@mainstay/api";
import type { Audit } from "../../core/audit/index.ts";
import type { Database } from "../../kernel/database/index.ts";

type Tables = { "instances.journal_cursor": { is_single: boolean; seq: string } };

const AGENT = { type: "system", id: "agent", name: "Agent" };

/** Brings what the agent did by itself into the audit log, each act once. */
export function createJournalAuditor({ db, audit }: { db: Database; audit: Audit }) {
  const tables = db.withTables<Tables>();
  return {
    /** The last act that has been audited. */
    async position(): Promise<number> {
      const row = await tables.selectFrom("instances.journal_cursor").select("seq").executeTakeFirstOrThrow();
      return Number(row.seq);
    },
    async record(entries: JournalEntry[]): Promise<void> {
      const last = entries.at(-1);
      if (!last) return;
      await db.transaction().execute(async (tx) => {
        for (const entry of entries) {
          const { act, service, environment, change, detail, at, seq } = entry;
          await audit.record(tx, {
            actor: AGENT,
            action: `agent.${act.replaceAll("-", "_")}`,
            resource: { type: "service", id: `${environment}/${service}` },
            service,
            environment,
            change,
            after: { ...detail, at, journal: seq },
            reason: "the server was not heard in time; weights went back to the proven ones",
          });
        }
        const cursor = tx.withTables<Tables>().updateTable("instances.journal_cursor");
        await cursor.set({ seq: String(last.seq) }).execute();
      });
    },
  };
}
export type JournalAuditor = ReturnType<typeof createJournalAuditor>;
