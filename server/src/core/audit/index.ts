export { createAudit, type Audit, type AuditDependencies, type AuditPage } from "./audit.ts";
export { createAuditLog, type AuditLog, type AuditLogDependencies, type AuditProblem } from "./audit-log.ts";
export { leafOf, digestOf, type StoredEntry } from "./domain/leaf.ts";
export type { Actor, AuditEntry, NewAuditEntry } from "./entry.ts";
export type { CheckpointKeeper, CheckpointPush } from "./keepers.ts";
export { addAuditRoutes } from "./routes.ts";
export { auditStream, type AuditFilter } from "./store.ts";
export { writeRequest } from "./witness.ts";
