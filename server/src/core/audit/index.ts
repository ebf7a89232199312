export { createAudit, type Audit, type AuditDependencies, type AuditPage } from "./audit.ts";
export type { Actor, AuditEntry, NewAuditEntry } from "./entry.ts";
export { auditStream, type AuditFilter } from "./store.ts";
