import { z } from "zod";
import { actorResource } from "./resources.ts";

/** The audit as it goes over the wire. Times are RFC 3339 in UTC. */

const time = z.iso.datetime();
const hex = z.string().regex(/^[0-9a-f]*$/);

const storedAudit = z
  .object({
    id: z.string(),
    index: z.int(),
    at: time,
    actor: z.object({ type: z.string(), id: z.string(), name: z.string().nullable() }),
    onBehalfOf: z.object({ type: z.string(), id: z.string(), name: z.string().nullable() }).nullable(),
    action: z.string(),
    resource: z.object({ type: z.string(), id: z.string() }),
    environment: z.string().nullable(),
    service: z.string().nullable(),
    change: z.string().nullable(),
    before: z.unknown(),
    after: z.unknown(),
    reason: z.string().nullable(),
    requestId: z.string().nullable(),
    stepUp: z.unknown(),
    personal: z.record(z.string(), hex).describe("JSON pointer → SHA-256(salt ‖ value)"),
    salt: hex,
  })
  .describe("the entry with null where personal data was taken out: what its leaf is made of");

export const disclosureResource = z
  .object({
    stored: storedAudit,
    personal: z
      .record(z.string(), z.object({ salt: hex, value: z.string() }))
      .describe("by JSON pointer; what was erased is missing"),
  })
  .meta({ id: "AuditDisclosure" });
export type DisclosureResource = z.infer<typeof disclosureResource>;

export const auditResource = z
  .object({
    id: z.string(),
    index: z.int().nullable(),
    at: time,
    actor: actorResource,
    onBehalfOf: actorResource.nullable(),
    action: z.string(),
    resource: z.object({ type: z.string(), id: z.string() }),
    service: z.string().nullable(),
    environment: z.string().nullable(),
    change: z.string().nullable(),
    before: z.unknown(),
    after: z.unknown(),
    reason: z.string().nullable(),
    requestId: z.string().nullable(),
    address: z.string().nullable(),
    stepUp: z.unknown(),
  })
  .meta({ id: "AuditEntry" });
export type AuditResource = z.infer<typeof auditResource>;

/** What narrows a list, a tail or an export down; all that is given must match. */
export const auditFilter = z.object({
  actor: z.string().optional().describe("id"),
  action: z.string().optional(),
  resourceType: z.string().optional(),
  resource: z.string().optional().describe("id"),
  service: z.string().optional(),
  environment: z.string().optional(),
  change: z.string().optional(),
  from: time.optional().describe("at or after"),
  to: time.optional().describe("before"),
});

export const auditDetails = z
  .object({
    entry: auditResource,
    diff: z.array(z.object({ path: z.string(), before: z.unknown(), after: z.unknown() })),
    disclosure: disclosureResource.nullable().describe("null until it has an index"),
    isInLog: z.boolean(),
  })
  .meta({ id: "AuditDetails" });
export type AuditDetails = z.infer<typeof auditDetails>;

export const auditLine = z
  .object({ entry: auditResource, disclosure: disclosureResource })
  .meta({ id: "AuditLine" });
export type AuditLine = z.infer<typeof auditLine>;

export const keeperResource = z
  .object({
    name: z.string(),
    target: z.string(),
    size: z.int().describe("entries of the newest checkpoint that it has"),
    keptAt: time.nullable(),
    cosignature: z.string().nullable().describe("of a witness: lines of a signed note"),
    kept: z.int().describe("checkpoints, in all"),
    failed: z.int().describe("attempts, in all"),
    failures: z.int().describe("in a row, until now"),
    problem: z.string().nullable(),
    nextAt: time.nullable(),
  })
  .meta({ id: "CheckpointKeeper" });
export type KeeperResource = z.infer<typeof keeperResource>;

export const auditLogResource = z
  .object({
    origin: z.string().nullable().describe("null until the log has begun"),
    vkey: z.string().nullable().describe("the key that its checkpoints are signed with"),
    size: z.int(),
    signedAt: time.nullable(),
    numbered: z.int().describe("entries of the database that have an index"),
    problem: z.string().nullable().describe("what keeps the log from going on"),
    problemSince: time.nullable(),
    keepers: z.array(keeperResource),
    archives: z.array(
      z.object({ first: z.int(), last: z.int(), file: z.string(), sha256: z.string(), archivedAt: time }),
    ),
    witnessVkey: z
      .string()
      .nullable()
      .describe("the key that this platform cosigns checkpoints of others with"),
    witnessed: z.array(z.object({ origin: z.string(), size: z.int(), at: time })),
  })
  .meta({ id: "AuditLog" });
export type AuditLogResource = z.infer<typeof auditLogResource>;

export const erasureOrder = z.strictObject({
  person: z.string().min(1).max(500).describe("id of a user or key, or a value such as an e-mail address"),
  reason: z.string().max(500).nullable().default(null),
  dryRun: z.boolean().default(true),
});
export const erasureResult = z
  .object({ dryRun: z.boolean(), values: z.int(), entries: z.int() })
  .meta({ id: "AuditErasure" });
export type ErasureResult = z.infer<typeof erasureResult>;

export const archiveOrder = z.strictObject({
  before: time.describe("entries older than this"),
  reason: z.string().max(500).nullable().default(null),
  dryRun: z.boolean().default(true),
});
export const archiveResult = z
  .object({
    dryRun: z.boolean(),
    entries: z.int(),
    first: z.int().nullable(),
    last: z.int().nullable(),
    files: z.array(z.object({ file: z.string(), sha256: z.string(), entries: z.int() })),
  })
  .meta({ id: "AuditArchive" });
export type ArchiveResult = z.infer<typeof archiveResult>;
