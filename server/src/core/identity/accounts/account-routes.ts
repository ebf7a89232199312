import {
  accountChange,
  accountResource,
  AppError,
  endedSessions,
  NO_CONTROLS,
  page,
  passwordChange,
  sessionResource,
  stepUpRequest,
  stepUpResource,
  userResource,
} from "@mainstay/api";
import { z } from "zod";
import { originOf, reply, type Http, type HttpRequest } from "../../../kernel/http/index.ts";
import type { Factors } from "../factors/factors.ts";
import type { Login } from "./login.ts";
import type { People } from "./people.ts";
import type { PeopleStore, UserRow } from "./people-store.ts";
import type { Sessions } from "./sessions.ts";
import type { Visits } from "./visit.ts";

export interface AccountRoutesParts {
  people: People;
  store: Pick<PeopleStore, "user">;
  sessions: Sessions;
  login: Login;
  factors: Factors;
  visits: Visits;
}

type Asked = Pick<HttpRequest<unknown, unknown, unknown>, "actor" | "authenticated">;

export const idParam = z.object({
  id: z.string().max(2048).regex(NO_CONTROLS, "expected no control characters"),
});
const ENROL = "The password counted this time; enrol a second factor with 'mainstay factors add-app'.";

/** The person behind a session; throws SESSION_REQUIRED for a key. */
export function ownerOf({ actor, authenticated }: Asked): { userId: string; sessionId: string } {
  if (authenticated.session === null || actor.type !== "user") throw new AppError("SESSION_REQUIRED");
  return { userId: actor.id, sessionId: authenticated.session.id };
}

/** What everybody who is logged in may do with their own account. */
export function addAccountRoutes(http: Http, parts: AccountRoutesParts): void {
  const { people, sessions, factors, visits } = parts;
  const tags = ["account"];

  http.route({
    ...{ method: "GET", url: "/api/v1/account", permission: "account.read", scope: "somewhere", tags },
    summary: "Who is logged in, since when, and with which factors",
    response: accountResource,
    async handler(request) {
      const { userId, sessionId } = ownerOf(request);
      const session = (await sessions.list(userId, sessionId)).find((each) => each.isCurrent);
      if (!session) throw new AppError("SESSION_REQUIRED");
      return { user: await people.find(userId), session, factors: await factors.show(userId) };
    },
  });
  http.route({
    ...{ method: "PATCH", url: "/api/v1/account", permission: "account.write", scope: "somewhere", tags },
    summary: "Change one's own name",
    body: accountChange,
    response: userResource,
    handler: (request) => people.rename(ownerOf(request).userId, request.body.name, originOf(request)),
  });
  http.route({
    ...{
      method: "GET",
      url: "/api/v1/account/sessions",
      permission: "account.read",
      scope: "somewhere",
      tags,
    },
    summary: "Where one is logged in",
    response: page(sessionResource),
    async handler(request) {
      const { userId, sessionId } = ownerOf(request);
      return { items: await sessions.list(userId, sessionId), next: null };
    },
  });
  http.route({
    ...{ method: "DELETE", url: "/api/v1/account/sessions/:id", permission: "account.write", tags },
    scope: "somewhere",
    summary: "End one of one's own sessions; 'current' is this one",
    params: idParam,
    response: z.undefined(),
    statuses: [204],
    async handler(request) {
      const { userId, sessionId } = ownerOf(request);
      const id = request.params.id === "current" ? sessionId : request.params.id;
      await sessions.revoke({ userId, id }, originOf(request));
      const gone = visits.sessionCookie(request.headers, "", new Date(0));
      return reply({ status: 204, headers: id === sessionId ? { "set-cookie": gone } : {}, body: undefined });
    },
  });
  http.route({
    ...{ method: "POST", url: "/api/v1/account/sessions/end-others", permission: "account.write", tags },
    scope: "somewhere",
    summary: "End all of one's own sessions but this one",
    response: endedSessions,
    async handler(request) {
      const { userId, sessionId } = ownerOf(request);
      return { ended: await sessions.revokeOthers({ userId, except: sessionId }, originOf(request)) };
    },
  });
}

/** What takes a proof of who is there, and answers the session's new token. */
export function addProofRoutes(http: Http, parts: AccountRoutesParts): void {
  const { people, store, sessions, login, visits } = parts;
  const tags = ["account"];

  async function owner(request: Asked): Promise<{ user: UserRow; sessionId: string }> {
    const { userId, sessionId } = ownerOf(request);
    const user = await store.user(userId);
    if (!user) throw new AppError("SESSION_REQUIRED");
    return { user, sessionId };
  }

  http.route({
    ...{
      method: "POST",
      url: "/api/v1/account/password",
      permission: "account.write",
      scope: "somewhere",
      tags,
    },
    summary: "Change one's own password; every other session ends",
    isSecretAnswer: true,
    body: passwordChange,
    response: z.object({ token: z.string().nullable() }),
    async handler(request) {
      const { user, sessionId } = await owner(request);
      const session = await sessions.find(user.id, sessionId);
      const visitor = visits.visitorOf(request, session);
      await visits.admit(request, visitor);
      await login.confirmPassword(user, request.body.current, visitor);
      const { password } = request.body;
      await people.changePassword({ user, session: sessionId, password }, originOf(request));
      const { token } = await sessions.rotate(sessionId);
      if (session.transport === "bearer") return { token };
      const cookie = visits.sessionCookie(request.headers, token, session.expires_at);
      return reply({ status: 200, headers: { "set-cookie": cookie }, body: { token: null } });
    },
  });
  http.route({
    ...{ method: "POST", url: "/api/v1/step-up", permission: "account.write", scope: "somewhere", tags },
    summary: "Confirm a second factor for what demands a fresh one; the session gets a new token",
    isSecretAnswer: true,
    body: stepUpRequest,
    response: stepUpResource,
    async handler(request) {
      const { user, sessionId } = await owner(request);
      const session = await sessions.find(user.id, sessionId);
      const visitor = visits.visitorOf(request, session);
      await visits.admit(request, visitor);
      const method = await confirm(user, request.body, visitor);
      const { token, steppedUpAt } = await sessions.stepUp({ id: sessionId, method }, originOf(request));
      const facts = { steppedUpAt: steppedUpAt.toISOString(), notes: method === "password" ? [ENROL] : [] };
      if (session.transport === "bearer") return { ...facts, token };
      const cookie = visits.sessionCookie(request.headers, token, session.expires_at);
      return reply({ status: 200, headers: { "set-cookie": cookie }, body: { ...facts, token: null } });
    },
  });

  async function confirm(
    user: UserRow,
    answer: z.output<typeof stepUpRequest>,
    visitor: ReturnType<Visits["visitorOf"]>,
  ): Promise<string> {
    if (answer.password === undefined || !(await login.canConfirmAlone(user.id)))
      return login.confirmFactor(user, answer, visitor);
    await login.confirmPassword(user, answer.password, visitor);
    return "password";
  }
}
