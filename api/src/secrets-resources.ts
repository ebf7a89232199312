import { z } from "zod";
import { actorResource } from "./resources.ts";

/** Secrets as they go over the wire. Only what `reveal` answers holds values. */

const time = z.iso.datetime();

export const secretVersionResource = z.object({
  number: z.int(),
  createdAt: time,
  createdBy: actorResource,
  names: z.array(z.string()),
  changed: z.array(z.string()).describe("names it has set, altered or taken away"),
  releases: z.array(z.string()).describe("those that use it"),
  isServing: z.boolean(),
});
export type SecretVersionResource = z.infer<typeof secretVersionResource>;

export const secretsResource = z
  .object({
    service: z.string(),
    environment: z.string(),
    release: z.string().nullable().describe("whose secrets these are; null: kept for the first release"),
    version: z.int().nullable().describe("that it uses"),
    secrets: z
      .array(
        z.object({
          name: z.string(),
          isSet: z.boolean().describe("here, not in the service file"),
          hasValue: z.boolean(),
          changedAt: time.nullable(),
        }),
      )
      .describe("never their values"),
    versions: z.array(secretVersionResource).describe("newest first"),
  })
  .meta({ id: "Secrets" });
export type SecretsResource = z.infer<typeof secretsResource>;

export const revealWish = z.strictObject({
  version: z.int().positive().optional().describe("instead of the one that serves"),
  reason: z.string().max(500).nullable().default(null),
});

export const revealedSecrets = z
  .object({ version: z.int().nullable(), values: z.record(z.string(), z.string()) })
  .meta({ id: "RevealedSecrets" });
export type RevealedSecrets = z.infer<typeof revealedSecrets>;

export const ROTATION_KINDS = ["wrapping-key", "data-keys"] as const;

export const newRotation = z.strictObject({
  kind: z.enum(ROTATION_KINDS).describe("wrapping-key: headers alone. data-keys: everything is sealed anew"),
  reason: z.string().max(500).nullable().default(null),
});

export const rotationResource = z
  .object({
    id: z.string(),
    kind: z.enum(ROTATION_KINDS),
    phase: z.enum(["sharing", "working", "closing", "finished"]),
    objects: z.int().describe("that there were at its beginning"),
    done: z.int(),
    already: z.int().describe("passed over: written in the new way meanwhile, or before it was cut off"),
    unreadable: z.int().describe("left as they are; status names their columns"),
    newKey: z.string().nullable(),
    generation: z.int().nullable(),
    requestedBy: actorResource,
    startedAt: time,
    updatedAt: time,
    finishedAt: time.nullable(),
    outcome: z.string().nullable(),
  })
  .meta({ id: "Rotation" });
export type RotationResource = z.infer<typeof rotationResource>;

export const sealingResource = z
  .object({
    source: z.string().describe("where the keys come from"),
    activeKey: z.string(),
    generation: z.int(),
    keys: z.array(
      z.object({
        id: z.string(),
        state: z.string(),
        objects: z.int(),
        createdAt: time,
        isAtHand: z.boolean(),
      }),
    ),
    generations: z.array(z.object({ generation: z.int(), objects: z.int() })),
    columns: z.array(z.object({ column: z.string(), objects: z.int() })),
    servers: z.int().describe("that use the database"),
    rotation: rotationResource.nullable().describe("the last one"),
  })
  .meta({ id: "Sealing" });
export type SealingResource = z.infer<typeof sealingResource>;
