import { z } from "zod";
import { NO_CONTROLS } from "./no-controls.ts";
import { serviceName } from "./service-name.ts";

/** People, their sessions and factors as they go over the wire. Times are RFC 3339 in UTC. */

const time = z.iso.datetime();
const personName = z
  .string()
  .trim()
  .min(1, "expected a name")
  .max(200, "expected at most 200 characters")
  .regex(NO_CONTROLS, "expected no control characters");
const emailAddress = z
  .string()
  .trim()
  .max(254)
  .regex(/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u, "expected an e-mail address");
/** Longer than any password may be, so that the reason can be told. */
const password = z.string().min(1, "expected a password").max(1024, "expected at most 1024 characters");
const token = z.string().max(200);
const transport = z
  .enum(["cookie", "bearer"])
  .default("cookie")
  .describe("cookie: for browsers; bearer: the token is in the answer, for the command line");
const device = token.optional().describe("what an earlier login answered, from programs without cookies");
const passkeyAnswer = z.object({
  challenge: token,
  response: z
    .looseObject({ id: z.string().max(2048).regex(NO_CONTROLS, "expected no control characters") })
    .describe("what navigator.credentials answered, as JSON"),
});
const secondFactor = z.object({
  code: z.string().trim().min(1).max(64).optional().describe("of an authenticator app, or a recovery code"),
  passkey: passkeyAnswer.optional(),
});

export const USER_STATES = ["invited", "active", "disabled"] as const;
export const userResource = z
  .object({
    id: z.string(),
    email: z.string(),
    name: z.string(),
    state: z.enum(USER_STATES),
    hasSecondFactor: z.boolean(),
    createdAt: time,
    lastLoginAt: time.nullable(),
  })
  .meta({ id: "User" });
export type UserResource = z.infer<typeof userResource>;

export const sessionResource = z
  .object({
    id: z.string(),
    agent: z.string().describe("what it was opened with, as in Firefox on Linux"),
    address: z.string().describe("where it was used last"),
    transport: z.enum(["cookie", "bearer"]),
    methods: z.array(z.string()).describe("how its owner proved who they are"),
    createdAt: time,
    lastUsedAt: time,
    expiresAt: time,
    steppedUpAt: time.nullable(),
    isCurrent: z.boolean(),
  })
  .meta({ id: "Session" });
export type SessionResource = z.infer<typeof sessionResource>;

export const passkeyResource = z
  .object({ id: z.string(), name: z.string(), createdAt: time, lastUsedAt: time.nullable() })
  .meta({ id: "Passkey" });
export type PasskeyResource = z.infer<typeof passkeyResource>;

export const factorsResource = z
  .object({
    totp: z.boolean().describe("whether an authenticator app is enrolled"),
    recoveryCodesLeft: z.int(),
    passkeys: z.array(passkeyResource),
  })
  .meta({ id: "Factors" });
export type FactorsResource = z.infer<typeof factorsResource>;

const entered = z
  .object({
    state: z.literal("authenticated"),
    user: userResource,
    session: z.object({ id: z.string(), expiresAt: time }),
    token: z.string().nullable().describe("of the session; null: it is in a cookie"),
    device: z
      .string()
      .nullable()
      .describe("to be shown at the next login; null: in a cookie, or known already"),
    key: z.string().nullable().describe("an API key that may do everything, where a setup asked for one"),
    notes: z.array(z.string()).describe("what its owner ought to know, such as what was unusual"),
  })
  .meta({ id: "Entered" });
const unfinished = z
  .object({
    state: z.literal("second-factor"),
    challenge: z.string(),
    methods: z.array(z.enum(["totp", "passkey", "recovery"])),
    expiresAt: time,
    notes: z.array(z.string()),
  })
  .meta({ id: "Unfinished" });
export const enteredResource = entered;
export type EnteredResource = z.infer<typeof enteredResource>;
export const loginResource = z.union([entered, unfinished]);
export type LoginResource = z.infer<typeof loginResource>;

export const loginRequest = z.object({ email: emailAddress, password, transport, device });
export const secondFactorRequest = secondFactor.extend({ challenge: token, transport, device });
export const passkeyLoginRequest = passkeyAnswer.extend({ transport, device });
export const passkeyOptionsResource = z.object({ challenge: z.string(), options: z.looseObject({}) });
export const passkeyRegistration = passkeyAnswer.extend({ name: personName });

export const linkLook = z.object({ link: token });
export const linkResource = z.object({
  kind: z.enum(["setup", "invitation", "reset"]),
  email: z.string().nullable(),
  name: z.string().nullable(),
});
export type LinkResource = z.infer<typeof linkResource>;
export const linkRedeeming = z.object({
  link: token,
  password,
  email: emailAddress.optional().describe("of the first admin; an invitation knows it"),
  name: personName.optional(),
  wantsKey: z
    .boolean()
    .default(false)
    .describe("of a setup: whether to make an API key that may do everything"),
  transport,
  device,
});

export const stepUpRequest = secondFactor.extend({
  password: password.optional().describe("counts for who has no second factor, if the platform says so"),
});
export const stepUpResource = z.object({
  steppedUpAt: time,
  token: z.string().nullable().describe("of the session from now on; null: it is in the cookie"),
  notes: z.array(z.string()),
});
export type StepUpResource = z.infer<typeof stepUpResource>;

export const invitation = z.object({
  email: emailAddress,
  name: personName,
  role: z.string().min(1).max(100),
  environment: serviceName.nullable().default(null),
  service: serviceName.nullable().default(null),
});
export const invitedResource = z.object({ user: userResource, link: z.string() });
export type InvitedResource = z.infer<typeof invitedResource>;
export const issuedLink = z.object({ link: z.string() });

export const accountResource = z.object({
  user: userResource,
  session: sessionResource,
  factors: factorsResource,
});
export type AccountResource = z.infer<typeof accountResource>;
export const accountChange = z.object({ name: personName });
export const passwordChange = z.object({ current: password, password });
export const totpSecret = z.object({ secret: z.string(), uri: z.string() });
export type TotpSecret = z.infer<typeof totpSecret>;
export const totpConfirmation = z.object({ code: z.string().trim().min(1).max(16) });
export const recoveryCodes = z.object({ codes: z.array(z.string()) });
export const endedSessions = z.object({ ended: z.int() });
