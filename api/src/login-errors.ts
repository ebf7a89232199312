import type { ErrorKind } from "./error-kind.ts";

/** What people meet who log in. */
export const LOGIN_ERRORS = {
  LOGIN_REFUSED: {
    status: 401,
    message: "the e-mail address, the password or the code is not right",
    remedy: "Check them and try again; an administrator can send a new link with 'mainstay users reset'.",
  },
  LOGIN_DELAYED: {
    status: 429,
    message: "too many attempts failed; the next one may come in {retryAfterSeconds} s",
    remedy: "Wait that long. A device that was used before is not delayed by the failures of others.",
  },
  LOGIN_UNUSUAL: {
    status: 403,
    message: "this login is too unusual to be let in",
    remedy: "Log in from a device or a network that you have used before, or ask an administrator for a new link.",
  },
  LOGIN_BUSY: {
    status: 503,
    message: "too many logins are being checked at once",
    remedy: "Try again in a second.",
  },
  RATE_LIMITED: {
    status: 429,
    message: "too many attempts from this address; the next one may come in {retryAfterSeconds} s",
    remedy: "Wait that long; identity.loginsPerMinute in mainstay.platform.yaml is the limit.",
  },
  CHALLENGE_EXPIRED: {
    status: 401,
    message: "what was begun here is over: too late, too many wrong answers, or used already",
    remedy: "Begin again.",
  },
  LINK_INVALID: {
    status: 401,
    message: "this link is not valid: used already, expired, or not complete",
    remedy: "Ask for a new one; on the server's machine 'mainstay break-glass' makes one.",
  },
  PASSWORD_WEAK: {
    status: 422,
    message: "this password cannot be used",
    remedy: "Choose another one: a few words that do not belong together, or what a password manager makes.",
  },
  STEP_UP_REQUIRED: {
    status: 403,
    message: "this needs a second factor confirmed within the last {minutes} minutes",
    remedy: "Confirm with 'mainstay step-up' (POST /api/v1/step-up), then do it again.",
  },
  CROSS_SITE: {
    status: 403,
    message: "a request with a session's cookie must come from this server's own pages: {reason}",
    remedy: "Send it from there, or show a token in 'Authorization: Bearer'.",
  },
  SESSION_REQUIRED: {
    status: 409,
    message: "this is for people who are logged in, not for keys",
    remedy: "Log in with 'mainstay login'.",
  },
  ACCOUNT_STATE: {
    status: 409,
    message: "{email} is {state}: that does not go with this",
    remedy: "'mainstay users list' says who is what.",
  },
  ACCOUNT_EXISTS: {
    status: 409,
    message: "somebody with the address {email} is here already",
    remedy: "'mainstay users list' shows them; 'mainstay users reset' makes a new link.",
  },
  FACTOR_STATE: {
    status: 409,
    message: "{reason}",
    remedy: "'mainstay factors' lists what is enrolled.",
  },
  PROVIDER_FAILED: {
    status: 502,
    message: "the identity provider {provider} cannot be used: {reason}",
    remedy: "Check identity.oidc in mainstay.platform.yaml, and that the provider answers.",
  },
} as const satisfies Record<string, ErrorKind>;
