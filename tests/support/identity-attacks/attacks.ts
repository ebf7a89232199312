import type { Attack } from "./attack.ts";
import { CROSS_SITE } from "./cross-site.ts";
import { ENUMERATION } from "./enumeration.ts";
import { ESCALATION, LAST_ADMIN } from "./escalation.ts";
import { GUESSING } from "./guessing.ts";
import { HEADERS, INPUT } from "./input.ts";
import { API_KEYS } from "./keys.ts";
import { BREAK_GLASS, LINKS } from "./links.ts";
import { OIDC_TAMPERING } from "./oidc.ts";
import { PASSKEYS } from "./passkeys.ts";
import { SECOND_FACTORS } from "./second-factors.ts";
import { SESSIONS } from "./sessions.ts";
import { STEP_UP } from "./step-up.ts";
import { TOKENS } from "./tokens.ts";
import { IDEMPOTENCY, TRACES } from "./traces.ts";

/** What is tried on identity: each is a test of Mainstay, and part of the comparison with others. */
export const ATTACKS: readonly Attack[] = [
  ...ENUMERATION,
  ...GUESSING,
  ...SESSIONS,
  ...CROSS_SITE,
  ...SECOND_FACTORS,
  ...STEP_UP,
  ...PASSKEYS,
  ...OIDC_TAMPERING,
  ...TOKENS,
  ...API_KEYS,
  ...ESCALATION,
  ...LAST_ADMIN,
  ...LINKS,
  ...BREAK_GLASS,
  ...INPUT,
  ...HEADERS,
  ...TRACES,
  ...IDEMPOTENCY,
];
