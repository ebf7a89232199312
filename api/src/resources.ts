import { z } from "zod";
import { EXIT_CAUSES, INSTANCE_STATES } from "./agent-protocol.ts";
import { serviceName } from "./service-name.ts";
import { TASKS } from "./words.ts";

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
    kind: z
      .enum(TASKS)
      .describe(
        "release: a release command. rehearsal: the stable release, started on the schema that left. hook: run around a state. run: somebody ran it by hand",
      ),
    change: z.string().nullable(),
    name: z.string().describe("of a hook: when it runs. Of a rehearsal: the code whose schema is tried"),
    attempt: z.int(),
    command: z.string(),
    inputBytes: z.int().nullable().describe("how much it finds on standard input; null: none is connected"),
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
  input: z.string().optional().describe("a complete upload: what it finds on standard input"),
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
          .regex(/^[^\0]*$/, "expected text without a zero byte")
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
    pulls: z
      .array(z.object({ image: z.string(), doneBytes: z.number(), totalBytes: z.number() }))
      .default([])
      .describe("images on their way to this machine; bytes as far as its container engine tells them"),
    lost: z.record(z.string(), z.number()).describe("requests the platform itself failed, by reason"),
    requests: z.number(),
    changesActive: z.int(),
  })
  .meta({ id: "Platform" });
export type PlatformResource = z.infer<typeof platformResource>;

export function page<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe("cursor of the next page") });
}
