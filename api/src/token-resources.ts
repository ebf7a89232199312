import { z } from "zod";
import { PERMISSIONS, type Permission } from "./permissions.ts";
import { durationWithin } from "./unit-schemas.ts";
import { serviceName } from "./service-name.ts";

/** Short-lived tokens and the keys that they are verified with. */

const READING = Object.keys(PERMISSIONS).filter((each): each is Permission => each.endsWith(".read"));

export const newToken = z.strictObject({
  permissions: z
    .array(z.enum(READING))
    .min(1)
    .max(READING.length)
    .describe("What its holder may read; you must be permitted all of it."),
  environment: serviceName.nullable().default(null).describe("Only there; null: in every environment."),
  service: serviceName.nullable().default(null).describe("Only of this service; null: of every one."),
  lifetime: durationWithin(30_000, 15 * 60_000)
    .prefault("5m")
    .describe("How long it holds."),
});
export type NewToken = z.output<typeof newToken>;

export const tokenResource = z
  .object({ token: z.string(), audience: z.literal("realtime"), expiresAt: z.iso.datetime() })
  .meta({ id: "Token" });
export type TokenResource = z.infer<typeof tokenResource>;

export const rotation = z
  .strictObject({
    revoke: z.boolean().default(false).describe("whether tokens that were made before are refused at once"),
  })
  .prefault({});

export const jwks = z.object({
  keys: z.array(
    z.object({
      kty: z.literal("OKP"),
      crv: z.literal("Ed25519"),
      x: z.string(),
      kid: z.string(),
      alg: z.literal("EdDSA"),
      use: z.literal("sig"),
    }),
  ),
});
