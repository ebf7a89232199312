import { AppError, isPermission, type NewToken, type TokenResource } from "@mainstay/api";
import { createTokenVerifier, type Claims, type PublicJwk, type TokenVerifier } from "@mainstay/token";
import type { Clock } from "../../../kernel/clock.ts";
import type { Actor, Authenticated, Can, Credentials, Origin, Scope } from "../../../kernel/http/index.ts";
import { demand } from "../../../kernel/http/index.ts";
import type { Ids } from "../../../kernel/ids.ts";
import type { Log } from "../../../kernel/log.ts";
import { MAX_LIFETIME_MS, type SigningKeys } from "./signing-keys.ts";

export interface TokensDependencies {
  keys: SigningKeys;
  /** Who signs, as it stands in every token. */
  issuer: string;
  clock: Clock;
  ids: Ids;
  log: Log;
  /** Told of the keys at the start, and again and again. */
  publish: (trusted: { issuer: string; keys: PublicJwk[] }) => Promise<void>;
}

const REALTIME = "realtime";
const AGENT = "agent";
const AGENT_LIFETIME_MS = 60_000;
/** How often the keys are looked at; another server may have rotated them. */
const LOOK_MS = 60_000;
/** A stranger's key id is worth a look into the database this often. */
const LOOK_AGAIN_MS = 5_000;
const BEARER = /^Bearer +(eyJ[\w.-]*) *$/i;
const READING = new Set(["GET", "HEAD"]);

/** Short-lived tokens: for connections that stay open, and for the agent of this machine. */
export function createTokens({ keys, issuer, clock, ids, log, publish }: TokensDependencies) {
  const stopping = new AbortController();
  let verifier: TokenVerifier | null = null;
  let lookedAtMs = -Infinity;
  let agentToken = { text: "", renewAtMs: 0 };
  let looking: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    lookedAtMs = clock.monotonicMs();
    await keys.refresh();
    const trusted = { issuer, keys: keys.published() };
    const maxLifetimeSeconds = MAX_LIFETIME_MS / 1000;
    verifier = createTokenVerifier({ ...trusted, audience: REALTIME, maxLifetimeSeconds });
    await publish(trusted);
    // The key that signed it may have been revoked.
    agentToken = { text: "", renewAtMs: 0 };
  }

  async function keepLooking(): Promise<void> {
    while (!stopping.signal.aborted) {
      await clock.sleep(LOOK_MS, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await look().catch((error: unknown) => log.error({ error }, "cannot look at the signing keys"));
    }
  }

  function sign(about: { aud: string; sub: string; lifetimeMs: number }, more: Record<string, unknown>) {
    const { aud, sub, lifetimeMs } = about;
    const iat = Math.floor(clock.now().getTime() / 1000);
    const exp = iat + Math.floor(lifetimeMs / 1000);
    const claims = { iss: issuer, aud, sub, jti: ids.next("tok"), iat, nbf: iat, exp, ...more };
    return { token: keys.current().sign(claims), expiresAt: new Date(exp * 1000).toISOString() };
  }

  /** A token that may read part of what its maker may; throws PERMISSION_DENIED for anything else. */
  function issue(
    { permissions, environment, service, lifetime }: NewToken,
    maker: Authenticated,
  ): TokenResource {
    const { actor, onBehalfOf } = maker;
    for (const permission of permissions) demand(maker, permission, { environment, service });
    const scope = permissions.join(" ");
    const person = { name: actor.name, ...(onBehalfOf ? { onBehalfOf } : {}) };
    const about = { aud: REALTIME, sub: `${actor.type}:${actor.id}`, lifetimeMs: lifetime };
    return { audience: REALTIME, ...sign(about, { ...person, scope, environment, service }) };
  }

  /** Who sends a request with a token of ours. Null: it carries none. Throws UNAUTHENTICATED. */
  async function authenticate({ headers, method }: Credentials): Promise<Authenticated | null> {
    const { authorization } = headers;
    const text = typeof authorization === "string" ? BEARER.exec(authorization)?.[1] : undefined;
    if (text === undefined) return null;
    const claims = await verify(text);
    if (!READING.has(method)) throw refusal("a token of this kind reads; it alters nothing");
    return authenticatedBy(claims);
  }

  async function verify(text: string): Promise<Claims> {
    const nowMs = clock.now().getTime();
    const first = verifier?.verify(text, nowMs);
    if (first?.claims) return first.claims;
    const isWorthALook = clock.monotonicMs() - lookedAtMs >= LOOK_AGAIN_MS;
    if (isWorthALook) await look();
    const second = isWorthALook ? verifier?.verify(text, nowMs) : first;
    if (second?.claims) return second.claims;
    log.debug({ reason: second?.refusal ?? "no key" }, "a token was refused");
    throw refusal("the token is not valid, or not any more");
  }

  /** What the agent wants to see with every call. */
  function forAgent(): string {
    const nowMs = clock.now().getTime();
    if (nowMs >= agentToken.renewAtMs) {
      const { token } = sign({ aud: AGENT, sub: "system:mainstay", lifetimeMs: AGENT_LIFETIME_MS }, {});
      agentToken = { text: token, renewAtMs: nowMs + AGENT_LIFETIME_MS / 2 };
    }
    return agentToken.text;
  }

  return {
    name: "tokens",
    issue,
    authenticate,
    forAgent,
    jwks: () => ({ keys: keys.published() }),
    async rotate(wish: { revoke: boolean }, origin: Origin): Promise<void> {
      await keys.rotate(wish, origin);
      await look();
    },
    async start(): Promise<void> {
      await look();
      looking = keepLooking();
    },
    async stop(): Promise<void> {
      stopping.abort();
      await looking;
    },
  };
}
export type Tokens = ReturnType<typeof createTokens>;

function authenticatedBy(claims: Claims): Authenticated {
  const [type = "", id = ""] = claims.sub.split(/:(.*)/s);
  const { name, onBehalfOf } = claims;
  const held = new Set(String(claims["scope"]).split(" ").filter(isPermission));
  const scope = { environment: textOrNull(claims["environment"]), service: textOrNull(claims["service"]) };
  return {
    actor: { type, id, name: String(name) },
    ...(isActor(onBehalfOf) ? { onBehalfOf } : {}),
    can: canWithin(held, scope),
    session: null,
    key: null,
  };
}

/** What lies within the token's scope; all of the platform only where the token is about all of it. */
function canWithin(held: ReadonlySet<string>, { environment, service }: Scope): Can {
  const covers = (own: string | null, asked: string | null) => own === null || own === asked;
  return (permission, scope = { environment: null, service: null }) => {
    if (!held.has(permission)) return false;
    if (scope === "somewhere") return true;
    return covers(environment, scope.environment) && covers(service, scope.service);
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isActor(value: unknown): value is Actor {
  const fields = ["type", "id", "name"];
  return typeof value === "object" && value !== null && fields.every((each) => each in value);
}

function refusal(message: string): AppError {
  return new AppError("UNAUTHENTICATED", {}, { errors: [{ path: "headers.authorization", message }] });
}
