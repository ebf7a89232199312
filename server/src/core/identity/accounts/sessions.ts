import { AppError, type Permission, type SessionResource } from "@mainstay/api";
import {
  isPublicHost,
  type Authenticated,
  type Credentials,
  type Origin,
} from "../../../kernel/http/index.ts";
import { cookieName, readCookie } from "../domain/cookies.ts";
import { describeCrossSite } from "../domain/cross-site.ts";
import { USE_NOTED_MS } from "../domain/session-life.ts";
import { hashToken, isToken, makeToken } from "../domain/tokens.ts";
import type { Entrance } from "./entrance.ts";
import { actorOf, type AccountsRoom } from "./room.ts";
import type { SessionRow } from "./session-store.ts";

export const SESSION_COOKIE = "mainstay_session";
/** What everybody who is logged in may do, whatever was granted to them. */
const OWN: readonly Permission[] = ["account.read", "account.write", "api.read"];

interface Shown {
  token: string;
  transport: "cookie" | "bearer";
}

export type Sessions = ReturnType<typeof createSessions>;

/** Who is logged in: told by a cookie, or by a token in the Authorization header. */
export function createSessions(
  room: AccountsRoom,
  { isAlive, publicHost }: Pick<Entrance, "isAlive"> & { publicHost: string | null },
) {
  const { db, clock, random, audit, access, sessions } = room;

  /** Null: no token of a session was sent. Throws for one that counts no longer, and for a foreign page. */
  async function authenticate(credentials: Credentials): Promise<Authenticated | null> {
    const shown = shownToken(credentials, publicHost);
    if (shown === null) return null;
    const row = isToken("session", shown.token) ? await sessions.byHash(hashToken(shown.token)) : undefined;
    if (!row || !isAlive(row) || row.transport !== shown.transport)
      throw refusal("the session is over, or not known to this server", shown.transport);
    const reason = describeCrossSite(credentials, { isByCookie: shown.transport === "cookie" });
    if (shown.transport === "cookie" && reason !== null) throw new AppError("CROSS_SITE", { reason });
    await noteUse(row, credentials.address);
    const can = await access.permissionsOf({ type: "user", id: row.user_id });
    return {
      actor: actorOf({ id: row.user_id, name: row.user_name }),
      can: (permission, scope) => OWN.includes(permission) || can(permission, scope),
      session: { id: row.id, steppedUpAt: row.stepped_up_at },
      key: null,
    };
  }

  async function noteUse(row: SessionRow, address: string): Promise<void> {
    const now = clock.now();
    const isFresh = now.getTime() - row.last_used_at.getTime() < USE_NOTED_MS;
    if (!isFresh || row.address !== address) await sessions.noteUse(row.id, { at: now, address });
  }

  async function revoke(wish: { userId: string; id: string }, origin: Origin): Promise<void> {
    await db.transaction().execute(async (tx) => {
      if (!(await sessions.delete(tx, wish))) throw new AppError("NOT_FOUND", { what: `session ${wish.id}` });
      await audit.record(tx, {
        ...origin,
        action: "identity.session_ended",
        resource: { type: "session", id: wish.id },
        after: { user: wish.userId },
      });
    });
  }

  return {
    authenticate,
    revoke,
    async list(userId: string, currentId: string | null): Promise<SessionResource[]> {
      const rows = await sessions.ofUser(userId);
      return rows.filter(isAlive).map((row) => toResource(row, currentId));
    },
    /** Ends all of a user's sessions but one; answers how many. */
    async revokeOthers({ userId, except }: { userId: string; except: string | null }, origin: Origin) {
      return db.transaction().execute(async (tx) => {
        const ended = await sessions.deleteAll(tx, userId, except);
        await audit.record(tx, {
          ...origin,
          action: "identity.sessions_ended",
          resource: { type: "user", id: userId },
          after: { ended: ended.map(({ id }) => id), kept: except },
        });
        return ended.length;
      });
    },
    /**
     * A new token for a session whose owner has just proved anew who they are: the
     * one before is void. Answers the token and whether it goes into a cookie.
     */
    async stepUp({ id, method }: { id: string; method: string }, origin: Origin) {
      const token = makeToken(random, "session");
      const now = clock.now();
      await db.transaction().execute(async (tx) => {
        const row = await sessions.rotate(tx, id, { hash: token.hash, stepped_up_at: now });
        if (!row) throw refusal("the session is over", "bearer");
        await audit.record(tx, {
          ...origin,
          action: "identity.stepped_up",
          resource: { type: "session", id },
          after: { method },
          stepUp: { at: now.toISOString(), method },
        });
      });
      return { token: token.text, steppedUpAt: now };
    },
    /** A new token for a session: the one before is void. */
    async rotate(id: string): Promise<{ token: string }> {
      const token = makeToken(random, "session");
      const row = await db.transaction().execute((tx) => sessions.rotate(tx, id, { hash: token.hash }));
      if (!row) throw refusal("the session is over", "bearer");
      return { token: token.text };
    },
    /** One session of a user's own. */
    async find(userId: string, id: string): Promise<SessionRow> {
      const row = (await sessions.ofUser(userId)).find((each) => each.id === id);
      if (!row) throw new AppError("NOT_FOUND", { what: `session ${id}` });
      return row;
    },
  };
}

/**
 * A bearer token counts before a cookie: whoever shows it means it. Under the public
 * host only the cookie counts that no sibling domain can set (`__Host-`).
 */
function shownToken({ headers }: Credentials, publicHost: string | null): Shown | null {
  const { authorization } = headers;
  const bearer = typeof authorization === "string" ? /^Bearer +(ms_\S*) *$/i.exec(authorization)?.[1] : null;
  if (bearer) return { token: bearer, transport: "bearer" };
  if (authorization !== undefined) return null;
  const { cookie, host } = headers;
  const isSecure = isPublicHost(typeof host === "string" ? host : undefined, publicHost);
  const token = readCookie(cookie, cookieName(SESSION_COOKIE, isSecure));
  return token === null ? null : { token, transport: "cookie" };
}

function refusal(message: string, transport: "cookie" | "bearer"): AppError {
  const path = transport === "cookie" ? "headers.cookie" : "headers.authorization";
  return new AppError("UNAUTHENTICATED", {}, { errors: [{ path, message }] });
}

function toResource(row: SessionRow, currentId: string | null): SessionResource {
  return {
    id: row.id,
    agent: row.agent,
    address: row.address,
    transport: row.transport,
    methods: row.methods,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    steppedUpAt: row.stepped_up_at?.toISOString() ?? null,
    isCurrent: row.id === currentId,
  };
}
