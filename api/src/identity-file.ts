import { z } from "zod";
import { secretSource } from "./messages-file.ts";
import { durationWithin } from "./unit-schemas.ts";

/** How people log in, as `mainstay.platform.yaml` says it. */

const MINUTE = 60_000;
const DAY = 24 * 3_600_000;

const httpsUrl = () =>
  z.url("expected a URL").refine(isProtected, "expected https://, or http:// on this machine itself");

const provider = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/, "expected lower-case letters, digits and dashes"),
  issuer: httpsUrl(),
  clientId: z.string().min(1, "expected the id that the provider gave"),
  clientSecret: secretSource,
  linkByEmail: z.boolean().default(false),
});
export type OidcProviderConfig = z.output<typeof provider>;

export const identity = z.strictObject({
  sessionIdle: durationWithin(MINUTE, 90 * DAY)
    .prefault("24h")
    .describe("How long a session lasts that nobody uses."),
  sessionLifetime: durationWithin(MINUTE, 365 * DAY)
    .prefault("30d")
    .describe("How long a session lasts in any case."),
  linkExpiry: durationWithin(MINUTE, 30 * DAY)
    .prefault("72h")
    .describe("How long an invitation, or a link to begin anew, can be used."),
  passwordConfirms: z
    .boolean()
    .default(true)
    .describe("Whether the password may be given again where a second factor is asked of who has none yet."),
  loginsPerMinute: z
    .int("expected a whole number from 1 to 10000")
    .min(1, "expected a whole number from 1 to 10000")
    .max(10_000, "expected a whole number from 1 to 10000")
    .default(30)
    .describe("How many attempts to log in one address has, at once and then per minute (IPv6: one /64)."),
  breachedPasswords: httpsUrl()
    .nullable()
    .default(null)
    .describe(
      "A list of breached passwords to ask by k-anonymity, as https://api.pwnedpasswords.com/range is.",
    ),
  oidc: z
    .array(provider)
    .default([])
    .describe(
      "Identity providers: `[{ name, issuer, clientId, clientSecret: { file } | { env }, linkByEmail }]`.",
    ),
});
export type IdentityConfig = z.output<typeof identity>;

function isProtected(text: string): boolean {
  const url = URL.parse(text);
  const isHere = ["localhost", "127.0.0.1", "[::1]"].includes(url?.hostname ?? "");
  return url?.protocol === "https:" || (url?.protocol === "http:" && isHere);
}
