import {
  enteredResource,
  linkLook,
  linkRedeeming,
  linkResource,
  loginRequest,
  loginResource,
  passkeyLoginRequest,
  passkeyOptionsResource,
  secondFactorRequest,
} from "@mainstay/api";
import { reply, type Http } from "../../../kernel/http/index.ts";
import type { Passkeys } from "../factors/passkeys.ts";
import type { Links } from "./links.ts";
import type { Login } from "./login.ts";
import type { People } from "./people.ts";
import { notesOn, type Visits } from "./visit.ts";

export interface LoginRoutesParts {
  login: Login;
  links: Links;
  people: People;
  passkeys: Passkeys;
  visits: Visits;
}

/** How people get in: with a link, a password, a second factor, a passkey. None needs a credential before it. */
export function addLoginRoutes(http: Http, { login, links, people, passkeys, visits }: LoginRoutesParts): void {
  const route = { method: "POST", permission: "public", isSecretAnswer: true, tags: ["login"] } as const;
  const { admit, visitorOf } = visits;
  const shown = (id: string) => people.find(id);

  http.route({
    ...route,
    url: "/api/v1/links/look",
    summary: "What a one-time link is for; it stays valid",
    body: linkLook,
    response: linkResource,
    async handler(request) {
      await admit(request, visitorOf(request, { transport: "cookie" }));
      return links.look(request.body.link);
    },
  });
  http.route({
    ...route,
    url: "/api/v1/links/redeem",
    summary: "Set up the platform, accept an invitation, or begin anew, with a one-time link",
    body: linkRedeeming,
    response: enteredResource,
    statuses: [201],
    async handler(request) {
      const visitor = visitorOf(request, request.body);
      await admit(request, visitor);
      const { entered, key } = await links.redeem(request.body, visitor);
      const { body, headers } = visits.entered(request, entered, { user: await shown(entered.user.id), key });
      return reply({ status: 201, headers, body });
    },
  });
  http.route({
    ...route,
    url: "/api/v1/login",
    summary: "Log in with e-mail address and password; asks for the second factor where one is enrolled",
    body: loginRequest,
    response: loginResource,
    async handler(request) {
      const visitor = visitorOf(request, request.body);
      await admit(request, visitor);
      const outcome = await login.byPassword(request.body, visitor);
      if (outcome.state === "second-factor") {
        const { challenge, methods, expiresAt, risk } = outcome;
        const facts = { state: outcome.state, challenge, methods, notes: notesOn(risk) };
        return { ...facts, expiresAt: expiresAt.toISOString() };
      }
      const more = { user: await shown(outcome.entered.user.id), key: null };
      const { body, headers } = visits.entered(request, outcome.entered, more);
      return reply({ status: 200, headers, body });
    },
  });
  http.route({
    ...route,
    url: "/api/v1/login/second-factor",
    summary: "The second half of a login: a code of the app, a recovery code, or a passkey",
    body: secondFactorRequest,
    response: enteredResource,
    async handler(request) {
      const visitor = visitorOf(request, request.body);
      await admit(request, visitor);
      const entered = await login.bySecondFactor(request.body, visitor);
      const more = { user: await shown(entered.user.id), key: null };
      const { body, headers } = visits.entered(request, entered, more);
      return reply({ status: 200, headers, body });
    },
  });
  http.route({
    ...route,
    url: "/api/v1/login/passkey/options",
    summary: "What navigator.credentials.get needs, to log in, as a second factor, or to step up",
    response: passkeyOptionsResource,
    async handler(request) {
      await admit(request, visitorOf(request, { transport: "cookie" }));
      return passkeys.loginOptions();
    },
  });
  http.route({
    ...route,
    url: "/api/v1/login/passkey",
    summary: "Log in with a passkey alone",
    body: passkeyLoginRequest,
    response: enteredResource,
    async handler(request) {
      const visitor = visitorOf(request, request.body);
      await admit(request, visitor);
      const entered = await login.byPasskey(request.body, visitor);
      const more = { user: await shown(entered.user.id), key: null };
      const { body, headers } = visits.entered(request, entered, more);
      return reply({ status: 200, headers, body });
    },
  });
}
