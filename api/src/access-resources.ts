import { z } from "zod";
import { closest } from "./closest.ts";
import { NO_CONTROLS } from "./no-controls.ts";
import { isPermission, PERMISSIONS, type Permission } from "./permissions.ts";
import { actorResource } from "./resources.ts";
import { serviceName } from "./service-name.ts";

/** Who may do what: roles, teams, grants and API keys, as they go over the wire. */

const time = z.iso.datetime();
const NAME = /^[a-z][a-z0-9-]{0,39}$/;
const name = z
  .string()
  .regex(NAME, "expected up to 40 lower-case letters, digits and dashes, a letter first");
const where = {
  environment: serviceName.nullable().default(null).describe("null: every environment"),
  service: serviceName.nullable().default(null).describe("null: every service"),
};
const there = { environment: z.string().nullable(), service: z.string().nullable() };
const permissionNames = z
  .array(
    z.custom<Permission>((text) => typeof text === "string" && isPermission(text), {
      error: ({ input }) => describePermission(input),
    }),
  )
  .meta({ type: "array", items: { type: "string", enum: Object.keys(PERMISSIONS) } });

function describePermission(input: unknown): string {
  const meant = typeof input === "string" ? closest(input, Object.keys(PERMISSIONS)) : null;
  return meant
    ? `expected a permission; did you mean "${meant}"?`
    : "expected a permission such as metrics.read; docs/guides/access.md lists them";
}

const plainId = z.string().min(1).max(100).regex(NO_CONTROLS, "expected no control characters");

export const SUBJECT_TYPES = ["user", "team", "key"] as const;
export const subject = z.strictObject({ type: z.enum(SUBJECT_TYPES), id: plainId });
export type Subject = z.infer<typeof subject>;

export const roleResource = z
  .object({
    name: z.string(),
    isBuiltIn: z.boolean(),
    permissions: permissionNames,
    createdAt: time.nullable(),
    createdBy: actorResource.nullable(),
  })
  .meta({ id: "Role" });
export type RoleResource = z.infer<typeof roleResource>;

export const newRole = z.strictObject({
  name,
  permissions: permissionNames.refine((list) => list.length > 0, "expected one permission at least"),
});

export const teamResource = z
  .object({
    name: z.string(),
    members: z.array(z.object({ user: z.string(), addedAt: time })),
    createdAt: time,
    createdBy: actorResource,
  })
  .meta({ id: "Team" });
export type TeamResource = z.infer<typeof teamResource>;

export const newTeam = z.strictObject({ name });
export const newMember = z.strictObject({ user: plainId.describe("the id of a user") });

export const grantResource = z
  .object({
    id: z.string(),
    subject: z.object({ type: z.enum(SUBJECT_TYPES), id: z.string() }),
    role: z.string().nullable().describe("null: the permissions are listed one by one"),
    permissions: permissionNames,
    ...there,
    createdAt: time,
    createdBy: actorResource,
  })
  .meta({ id: "Grant" });
export type GrantResource = z.infer<typeof grantResource>;

export const newGrant = z.strictObject({ subject, role: name, ...where });

/** IPv4 and IPv6, with or without a prefix length. */
const addressRange = z
  .string()
  .min(2)
  .max(50)
  .describe("an address or a range such as 192.0.2.0/24 or 2001:db8::/32");

export const keyResource = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z
      .object({ type: z.enum(["user", "team"]), id: z.string() })
      .nullable()
      .describe("the key may never do more than its owner; null: it belongs to the platform"),
    grants: z.array(grantResource.pick({ id: true, role: true, permissions: true }).extend(there)),
    allowedAddresses: z.array(z.string()).describe("from where it may be used; empty: from everywhere"),
    stepUpExempt: z.boolean().describe("it need not confirm a second factor, which it has not"),
    expiresAt: time.nullable(),
    revokedAt: time.nullable(),
    lastUsedAt: time.nullable().describe("to the minute"),
    lastUsedFrom: z.string().nullable(),
    createdAt: time,
    createdBy: actorResource,
  })
  .meta({ id: "Key" });
export type KeyResource = z.infer<typeof keyResource>;

const HUNDRED_YEARS_SECONDS = 3_155_760_000;
export const newKey = z
  .strictObject({
    name,
    role: name.optional(),
    permissions: permissionNames.optional().describe("instead of a role"),
    ...where,
    owner: z
      .union([
        z.strictObject({ type: z.enum(["user", "team"]), id: z.string().min(1) }),
        z.literal("platform"),
      ])
      .optional()
      .describe("instead of whoever makes it; needs access.write"),
    expiresInSeconds: z.int().min(1).max(HUNDRED_YEARS_SECONDS).nullable().default(null),
    allowedAddresses: z.array(addressRange).max(50).default([]),
    stepUpExempt: z.boolean().default(false),
  })
  .refine((wish) => (wish.role === undefined) !== (wish.permissions === undefined), {
    message: "expected either a role or permissions",
  });
export type NewKey = z.output<typeof newKey>;

export const keyRotation = z
  .strictObject({
    overlapSeconds: z
      .int()
      .min(0)
      .max(604_800)
      .default(0)
      .describe("how long the secret before is still accepted"),
  })
  .prefault({});

export const shownKey = z
  .object({ key: keyResource, secret: z.string().describe("the whole key, shown this once") })
  .meta({ id: "ShownKey" });
export type ShownKey = z.infer<typeof shownKey>;
