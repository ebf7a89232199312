import { z } from "zod";
import { EXIT_CAUSES, INSTANCE_STATES } from "./agent-protocol.ts";
import { CHANGE_KINDS, CHANGE_STATES, SEVERITIES, serviceName, TASKS, VERDICTS } from "./words.ts";

/** The resources of the native API, as they go over the wire. Times are RFC 3339 in UTC with milliseconds. */

const time = z.iso.datetime();
const share = z.number().min(0).max(1).describe("share of the traffic, 0 to 1");

export const actorResource = z
  .object({ type: z.string(), id: z.string(), name: z.string() })
  .meta({ id: "Actor" });

export const releaseDigest = z.string().regex(/^sha256:[0-9a-f]{64}$/, "expected sha256: and 64 hex digits");

export const releaseResource = z
  .object({
    id: z.string(),
    service: z.string(),
    environment: z.string(),
    digest: releaseDigest.describe("sha256 over every file, see docs/formats/release.md"),
    version: z.string().nullable().describe("the version in the release's package.json"),
    isSigned: z.boolean().describe("whether it came with a signature of a key that was trusted then"),
    build: z.string().nullable().describe("the build that made its files; null when they came as they are"),
    sourceDigest: releaseDigest.nullable().describe("of the files it was built from, as it is computed"),
    dependsOn: z.array(serviceName).describe("services of its environment that must serve before it"),
    createdAt: time,
    createdBy: actorResource,
    collectedAt: time.nullable().describe("when its files were removed to make room; null while it has them"),
  })
  .meta({ id: "Release" });
export type ReleaseResource = z.infer<typeof releaseResource>;

const SOURCES = ["directory", "upload", "digest"] as const;

const filesOfRelease = z.strictObject({
  directory: z.string().min(1).optional().describe("absolute path that the server can read"),
  upload: z.string().min(1).optional().describe("id of a complete upload: a tar archive, gzipped"),
  digest: releaseDigest.optional().describe("content that the server has already"),
  file: z.string().min(1).default("mainstay.yaml").describe("the service file inside the directory"),
  environment: z.string().optional().describe("instead of the one in the service file"),
  signature: z.string().max(4096).optional().describe("text of a .minisig file over the digest"),
  env: z.record(z.string(), z.string()).optional().describe("overrides or adds to env of the service file"),
});
const hasOneSource = (wish: Partial<Record<(typeof SOURCES)[number], string | undefined>>) =>
  SOURCES.filter((each) => wish[each] !== undefined).length === 1;
const ONE_SOURCE = { message: `expected one of ${SOURCES.join(", ")}` };

export const newRelease = filesOfRelease.refine(hasOneSource, ONE_SOURCE);

export const newBuild = filesOfRelease
  .extend({
    digest: releaseDigest.optional().describe("of source files that were built before"),
    rebuild: z.boolean().default(false).describe("build although the same source was built before"),
  })
  .refine(hasOneSource, ONE_SOURCE);

export const promotion = z.strictObject({
  environment: z.string().min(1).describe("where the files are to run"),
  env: z.record(z.string(), z.string()).optional().describe("overrides or adds to env of the service file"),
});

const tally = z.object({ total: z.number(), bad: z.number() });
export const evidenceResource = z
  .object({
    verdict: z.enum(VERDICTS),
    eValue: z.number(),
    threshold: z.number(),
    designEffect: z.number(),
    smallestDetectableRatio: z.number().nullable(),
    limit: z.string().optional().describe("the absolute ceiling that was broken, in words"),
    perMetric: z.array(
      z.object({
        metric: z.string(),
        verdict: z.enum(VERDICTS),
        eValue: z.number(),
        threshold: z.number(),
        designEffect: z.number(),
        ratio: z.number().nullable(),
        candidate: tally,
        stable: tally,
        noHarmEValue: z.number(),
        noHarmThreshold: z.number(),
        smallestDetectableRatio: z.number().nullable(),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: "Evidence" });
export type EvidenceResource = z.infer<typeof evidenceResource>;

export const stepResource = z
  .object({
    driver: z.string(),
    act: z.string(),
    title: z.string(),
    state: z.enum(CHANGE_STATES),
    stage: z.int().nullable(),
  })
  .meta({ id: "Step" });

export const findingResource = z
  .object({
    code: z.string(),
    severity: z.enum(SEVERITIES).describe("an error stops the change, a warning is shown and recorded"),
    message: z.string(),
    remedy: z.string(),
    isForceable: z.boolean().describe("whether an admin may go on in spite of it"),
    isForced: z.boolean(),
    about: z.string().optional().describe("the other service that it is about"),
  })
  .meta({ id: "Finding" });
export type FindingResource = z.infer<typeof findingResource>;

export const changeResource = z
  .object({
    id: z.string(),
    kind: z.string(),
    service: z.string(),
    environment: z.string(),
    candidate: z.string(),
    stable: z.string().nullable(),
    state: z.enum(CHANGE_STATES),
    stage: z.int().describe("-1 before the first"),
    stages: z.array(z.object({ weight: share, bakeMs: z.number() })),
    stageStartedAt: time.nullable(),
    weight: share,
    proven: share,
    steps: z.array(stepResource),
    requestedBy: actorResource,
    reason: z.string().nullable(),
    outcome: z.string().nullable().describe("why it ended as it did, or is being undone"),
    evidence: evidenceResource.nullable(),
    findings: z.array(findingResource).describe("what the pre-flight found"),
    firstCandidateAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
    finishedAt: time.nullable(),
  })
  .meta({ id: "Change" });
export type ChangeResource = z.infer<typeof changeResource>;

export const newChange = z.strictObject({
  kind: z.enum(CHANGE_KINDS).default("release"),
  candidate: z.string().min(1).describe("the id of a release, or for scale the numbers: web=4,worker=0"),
  service: serviceName.optional().describe("for scale: whose numbers"),
  environment: serviceName.optional().describe("for scale; production when left out"),
  immediate: z.boolean().default(false).describe("all traffic at once after the health gate"),
  queue: z
    .boolean()
    .default(false)
    .describe("wait in order behind a change under way instead of being refused"),
  supersede: z
    .boolean()
    .default(false)
    .describe("take the place of every change that waits for the same target; implies queue"),
  reason: z.string().max(500).nullable().default(null),
});

/** A request that goes on in spite of what speaks against it; needs a permission of its own. */
export const forcedChange = newChange.extend({
  force: z
    .array(z.string().min(1))
    .max(50)
    .default([])
    .describe("codes of findings that are not to stop the change"),
  overrideFreeze: z
    .string()
    .min(1)
    .max(500)
    .nullable()
    .default(null)
    .describe("why this change goes on in spite of a freeze window"),
});

export const previewResource = z
  .object({ change: changeResource, findings: z.array(findingResource) })
  .meta({ id: "Preview" });
export type PreviewResource = z.infer<typeof previewResource>;

export const commandBody = z
  .strictObject({ reason: z.string().max(500).nullable().default(null) })
  .prefault({});

export const timelineEntry = z
  .object({
    seq: z.int(),
    at: time,
    from: z.string(),
    to: z.string(),
    stage: z.int(),
    by: z.string(),
    reason: z.string(),
    evidence: evidenceResource.nullable(),
  })
  .meta({ id: "TimelineEntry" });
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const replayResource = z
  .object({
    stored: evidenceResource.nullable(),
    replayed: evidenceResource.nullable(),
    isEqual: z.boolean(),
    samples: z.int(),
  })
  .meta({ id: "Replay" });

export const instanceResource = z
  .object({
    id: z.string(),
    service: z.string(),
    environment: z.string(),
    process: z.string(),
    release: z.string(),
    state: z.enum([...INSTANCE_STATES, "unknown"]),
    pid: z.int().nullable(),
    port: z.int().nullable(),
    startedAt: z.string().nullable(),
    crashes: z.int(),
    inflight: z.int(),
    memoryBytes: z.int().nullable(),
    lastExit: z
      .object({
        code: z.int().nullable(),
        signal: z.string().nullable(),
        at: z.string(),
        cause: z.enum(EXIT_CAUSES).optional(),
        limitBytes: z.int().optional().describe("the memory it exceeded"),
      })
      .nullable(),
  })
  .meta({ id: "Instance" });
export type InstanceResource = z.infer<typeof instanceResource>;

export const serviceResource = z
  .object({
    service: z.string(),
    environment: z.string(),
    stable: releaseResource.nullable(),
    candidate: releaseResource.nullable(),
    change: z.string().nullable(),
    weight: share,
    maintenance: z
      .object({ retryAfterSeconds: z.int() })
      .nullable()
      .describe("not null: every request is answered 503 and told when to come back"),
    instances: z.array(instanceResource),
  })
  .meta({ id: "Service" });
export type ServiceResource = z.infer<typeof serviceResource>;

export const taskResource = z
  .object({
    id: z.string(),
    service: z.string(),
    environment: z.string(),
    release: z.string(),
    kind: z.enum(TASKS).describe("release: a release command. run: somebody ran it by hand"),
    change: z.string().nullable(),
    attempt: z.int(),
    command: z.string(),
    state: z.enum(["running", "succeeded", "failed", "lost", "stopped"]),
    exitCode: z.int().nullable(),
    reason: z.string().nullable().describe("why it did not succeed"),
    output: z.string().describe("the end of what it wrote, without secrets; empty while it runs"),
    requestedBy: actorResource,
    createdAt: time,
    finishedAt: time.nullable(),
  })
  .meta({ id: "Task" });
export type TaskResource = z.infer<typeof taskResource>;

export const newTask = z.strictObject({
  service: serviceName,
  environment: serviceName.default("production"),
  command: z
    .string()
    .min(1)
    .max(10_000)
    .describe("a command line, run by /bin/sh in the release's directory"),
  timeoutMs: z.int().positive().max(86_400_000).default(3_600_000).describe("it is ended after this time"),
});

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "expected letters, digits and underscores, not beginning with a digit");
export const alteration = z
  .strictObject({
    env: z.record(variable, z.string().max(32_768).nullable()).default({}).describe("null: not set"),
    secrets: z
      .record(
        variable,
        z
          .string()
          .regex(/^[^\r\n]*$/, "expected one line")
          .max(32_768)
          .nullable(),
      )
      .default({})
      .describe("null: taken away"),
  })
  .refine(
    ({ env, secrets }) => Object.keys({ ...env, ...secrets }).length > 0,
    "expected at least one variable",
  );

export const settingsResource = z
  .object({
    service: z.string(),
    environment: z.string(),
    release: z.string().describe("whose configuration it is"),
    env: z.array(
      z.object({
        name: z.string(),
        value: z.string(),
        isSet: z.boolean().describe("here, not in the service file"),
      }),
    ),
    secrets: z.array(z.object({ name: z.string(), isSet: z.boolean() })).describe("never their values"),
    scale: z.array(
      z.object({
        process: z.string(),
        instances: z.int(),
        file: z.int().describe("what the service file says"),
      }),
    ),
  })
  .meta({ id: "Settings" });
export type SettingsResource = z.infer<typeof settingsResource>;

export const maintenanceOrder = z.strictObject({
  environment: z.string().default("production"),
  on: z.boolean(),
  retryAfterSeconds: z.int().min(1).max(604_800).default(300).describe("what visitors are told to wait"),
  reason: z.string().max(500).nullable().default(null),
});

export const certificateResource = z
  .object({
    host: z.string(),
    source: z.enum(["file", "acme", "none"]).describe("none: shown with a certificate nobody vouches for"),
    state: z.enum(["valid", "expired", "pending", "failed", "self-signed"]),
    names: z.array(z.string()).describe("every host the certificate stands for"),
    issuer: z.string().nullable(),
    serial: z.string().nullable(),
    fingerprint: z.string().nullable().describe("SHA-256 over the certificate"),
    notBefore: time.nullable(),
    notAfter: time.nullable(),
    renewAt: time.nullable(),
    attempts: z.int().describe("failed attempts since the last success"),
    lastAttemptAt: time.nullable(),
    nextAttemptAt: time.nullable(),
    problem: z.string().nullable().describe("what keeps it from being renewed or issued"),
  })
  .meta({ id: "Certificate" });
export type CertificateResource = z.infer<typeof certificateResource>;

export const auditResource = z
  .object({
    id: z.string(),
    index: z.int().nullable(),
    at: time,
    actor: actorResource,
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
  })
  .meta({ id: "AuditEntry" });

export const platformResource = z
  .object({
    version: z.string(),
    pid: z.int().describe("of the server process"),
    dataPlane: z.string().describe("where the proxy listens, host:port"),
    database: z.string(),
    agent: z.enum(["connected", "lost"]),
    resourceLimits: z
      .object({ by: z.string(), reason: z.string().nullable() })
      .nullable()
      .describe("by what limits of memory and cpu are enforced; null while the agent is away"),
    lost: z.record(z.string(), z.number()).describe("requests the platform itself failed, by reason"),
    requests: z.number(),
    changesActive: z.int(),
  })
  .meta({ id: "Platform" });
export type PlatformResource = z.infer<typeof platformResource>;

export function page<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe("cursor of the next page") });
}
