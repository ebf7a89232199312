import {
  endedSessions,
  invitation,
  invitedResource,
  issuedLink,
  page,
  sessionResource,
  userResource,
} from "@mainstay/api";
import { z } from "zod";
import { demand, originOf, reply, type Http } from "../../../kernel/http/index.ts";
import { demandAbove, demandMayGive, type AccessPort } from "./access-port.ts";
import { idParam } from "./account-routes.ts";
import type { Links } from "./links.ts";
import type { People } from "./people.ts";
import type { Sessions } from "./sessions.ts";

export interface PeopleRoutesParts {
  people: People;
  links: Links;
  sessions: Sessions;
  access: AccessPort;
}

/** What administrators do about people. Nobody acts upon somebody who may do more than they. */
export function addPeopleRoutes(http: Http, { people, links, sessions, access }: PeopleRoutesParts): void {
  http.route({
    ...{ method: "GET", url: "/api/v1/users", permission: "users.read" },
    summary: "Who may log in",
    response: page(userResource),
    handler: async () => ({ items: await people.list(), next: null }),
  });
  http.route({
    ...{ method: "GET", url: "/api/v1/users/:id", permission: "users.read" },
    summary: "One person, by id or e-mail address",
    params: idParam,
    response: userResource,
    handler: ({ params }) => people.find(params.id),
  });
  http.route({
    ...{ method: "POST", url: "/api/v1/users", permission: "users.write", stepUp: true, isSecretAnswer: true },
    summary: "Invite somebody; the answer holds the one-time link",
    body: invitation,
    response: invitedResource,
    statuses: [201],
    async handler(request) {
      const { environment, service } = request.body;
      demand(request.authenticated, "access.write", { environment, service });
      await demandMayGive(access, request.authenticated.can, request.body);
      return people.invite(request.body, originOf(request));
    },
  });
  http.route({
    ...{ method: "POST", url: "/api/v1/users/:id/link", permission: "users.write", stepUp: true, isSecretAnswer: true },
    summary: "Make a new one-time link; with it the user begins anew, without factors",
    params: idParam,
    response: issuedLink,
    statuses: [201],
    async handler(request) {
      const { id } = await people.find(request.params.id);
      await demandAbove(access, request.authenticated.can, id);
      return { link: await links.reissue(id, originOf(request)) };
    },
  });
  for (const verb of ["disable", "enable"] as const) {
    http.route({
      ...{ method: "POST", url: `/api/v1/users/:id/${verb}`, permission: "users.write" },
      stepUp: verb === "enable",
      summary: verb === "disable" ? "Keep somebody out; their sessions end at once" : "Let somebody in again",
      params: idParam,
      response: userResource,
      async handler(request) {
        const { id } = await people.find(request.params.id);
        await demandAbove(access, request.authenticated.can, id);
        return people[verb](id, originOf(request));
      },
    });
  }
  http.route({
    ...{ method: "DELETE", url: "/api/v1/users/:id", permission: "users.write", stepUp: true },
    summary: "Remove somebody, with everything that was granted to them",
    params: idParam,
    response: z.undefined(),
    statuses: [204],
    async handler(request) {
      const { id } = await people.find(request.params.id);
      await demandAbove(access, request.authenticated.can, id);
      await people.remove(id, originOf(request));
      return reply({ status: 204, body: undefined });
    },
  });
  http.route({
    ...{ method: "GET", url: "/api/v1/users/:id/sessions", permission: "users.read" },
    summary: "Where somebody is logged in",
    params: idParam,
    response: page(sessionResource),
    async handler(request) {
      const { id } = await people.find(request.params.id);
      const current = request.authenticated.session?.id ?? null;
      return { items: await sessions.list(id, current), next: null };
    },
  });
  http.route({
    ...{ method: "POST", url: "/api/v1/users/:id/sessions/end", permission: "users.write" },
    summary: "End all sessions of somebody",
    params: idParam,
    response: endedSessions,
    async handler(request) {
      const { id } = await people.find(request.params.id);
      await demandAbove(access, request.authenticated.can, id);
      return { ended: await sessions.revokeOthers({ userId: id, except: null }, originOf(request)) };
    },
  });
}
