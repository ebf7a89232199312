import {
  grantResource,
  newGrant,
  newMember,
  newRole,
  newTeam,
  NO_CONTROLS,
  page,
  roleResource,
  SUBJECT_TYPES,
  teamResource,
} from "@mainstay/api";
import { z } from "zod";
import { originOf, type Http } from "../../kernel/http/index.ts";
import type { Access } from "./access.ts";
import { byOf } from "./alteration.ts";

const plainText = z.string().regex(NO_CONTROLS, "expected no control characters");
const nameParam = z.object({ name: plainText });

/** Roles, teams, and who has which role where. What alters them takes a fresh second factor. */
export function addAccessRoutes(http: Http, { roles, teams, grants }: Access): void {
  addRoles(http, roles);
  addTeams(http, teams);
  addMembers(http, teams);
  addGrants(http, grants);
}

function addRoles(http: Http, roles: Access["roles"]): void {
  http.route({
    method: "GET",
    url: "/api/v1/roles",
    permission: "access.read",
    scope: "somewhere",
    summary: "Every role with what it permits",
    response: page(roleResource),
    handler: async () => ({ items: await roles.list(), next: null }),
  });
  http.route({
    method: "GET",
    url: "/api/v1/roles/:name",
    permission: "access.read",
    scope: "somewhere",
    summary: "One role",
    params: nameParam,
    response: roleResource,
    handler: ({ params }) => roles.show(params.name),
  });
  http.route({
    method: "POST",
    url: "/api/v1/roles",
    permission: "access.write",
    stepUp: true,
    summary: "Make a role of permissions of one's own",
    body: newRole,
    response: roleResource,
    statuses: [201],
    handler: ({ body, ...request }) => roles.create(body, byOf(request.authenticated, originOf(request))),
  });
  http.route({
    method: "DELETE",
    url: "/api/v1/roles/:name",
    permission: "access.write",
    stepUp: true,
    summary: "Remove a role that is granted to nobody; answers what it was",
    params: nameParam,
    response: roleResource,
    handler: ({ params, ...request }) =>
      roles.remove(params.name, byOf(request.authenticated, originOf(request))),
  });
}

function addTeams(http: Http, teams: Access["teams"]): void {
  http.route({
    method: "GET",
    url: "/api/v1/teams",
    permission: "access.read",
    scope: "somewhere",
    summary: "Every team with its members",
    response: page(teamResource),
    handler: async () => ({ items: await teams.list(), next: null }),
  });
  http.route({
    method: "GET",
    url: "/api/v1/teams/:name",
    permission: "access.read",
    scope: "somewhere",
    summary: "One team",
    params: nameParam,
    response: teamResource,
    handler: ({ params }) => teams.show(params.name),
  });
  http.route({
    method: "POST",
    url: "/api/v1/teams",
    permission: "access.write",
    stepUp: true,
    summary: "Make a team, without members and grants",
    body: newTeam,
    response: teamResource,
    statuses: [201],
    handler: ({ body, ...request }) =>
      teams.create(body.name, byOf(request.authenticated, originOf(request))),
  });
  http.route({
    method: "DELETE",
    url: "/api/v1/teams/:name",
    permission: "access.write",
    stepUp: true,
    summary: "Remove a team with its memberships, grants and keys; answers what it was",
    params: nameParam,
    response: teamResource,
    handler: ({ params, ...request }) =>
      teams.remove(params.name, byOf(request.authenticated, originOf(request))),
  });
}

function addMembers(http: Http, teams: Access["teams"]): void {
  http.route({
    method: "POST",
    url: "/api/v1/teams/:name/members",
    permission: "access.write",
    stepUp: true,
    summary: "Take a user into a team, and with that into all that is granted to it",
    params: nameParam,
    body: newMember,
    response: teamResource,
    handler: ({ params, body, ...request }) =>
      teams.addMember(params.name, body.user, byOf(request.authenticated, originOf(request))),
  });
  http.route({
    method: "DELETE",
    url: "/api/v1/teams/:name/members/:user",
    permission: "access.write",
    stepUp: true,
    summary: "Take a user out of a team",
    params: nameParam.extend({ user: plainText }),
    response: teamResource,
    handler: ({ params, ...request }) =>
      teams.removeMember(params.name, params.user, byOf(request.authenticated, originOf(request))),
  });
}

function addGrants(http: Http, grants: Access["grants"]): void {
  http.route({
    method: "GET",
    url: "/api/v1/grants",
    permission: "access.read",
    scope: "somewhere",
    summary: "Who has which role where",
    query: z.object({
      subjectType: z.enum(SUBJECT_TYPES).optional(),
      subject: z.string().optional().describe("the id of a user or key, or the name of a team"),
      role: z.string().optional(),
    }),
    response: page(grantResource),
    handler: async ({ query, authenticated }) => ({
      items: await grants.list(query, authenticated),
      next: null,
    }),
  });
  http.route({
    method: "POST",
    url: "/api/v1/grants",
    permission: "access.write",
    scope: ({ body: { environment, service } }) => ({ environment, service }),
    stepUp: true,
    summary: "Give a user, a team or a key a role, everywhere or for an environment or a service",
    body: newGrant,
    response: grantResource,
    statuses: [201],
    handler: ({ body, ...request }) => grants.add(body, byOf(request.authenticated, originOf(request))),
  });
  http.route({
    method: "DELETE",
    url: "/api/v1/grants/:id",
    permission: "access.write",
    scope: ({ params }) => grants.scopeOf(params.id),
    stepUp: true,
    summary: "Take a role away; answers what it was",
    params: z.object({ id: z.string() }),
    response: grantResource,
    handler: ({ params, ...request }) =>
      grants.remove(params.id, byOf(request.authenticated, originOf(request))),
  });
}
