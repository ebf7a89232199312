import type { Audit } from "./audit.ts";
import type { NewAuditEntry } from "./entry.ts";

/** In-memory twin of the audit for the tests of other rooms: every transaction counts as committed. */
export function createFakeAudit(): Audit & { entries: NewAuditEntry[] } {
  const entries: NewAuditEntry[] = [];
  return {
    entries,
    record: async (_, entry) => void entries.push(entry),
    list: async () => ({ entries: [], cursor: null }),
  };
}
