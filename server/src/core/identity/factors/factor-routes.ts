import {
  AppError,
  factorsResource,
  passkeyOptionsResource,
  passkeyRegistration,
  recoveryCodes,
  totpConfirmation,
  totpSecret,
} from "@mainstay/api";
import { z } from "zod";
import { originOf, reply, type Http } from "../../../kernel/http/index.ts";
import { idParam, ownerOf } from "../accounts/account-routes.ts";
import type { PeopleStore, UserRow } from "../accounts/people-store.ts";
import type { Factors } from "./factors.ts";
import type { Passkeys } from "./passkeys.ts";

export interface FactorRoutesParts {
  factors: Factors;
  passkeys: Passkeys;
  people: Pick<PeopleStore, "user">;
}

/** One's own second factors. Whoever found an open session cannot alter them: each act needs a fresh proof. */
export function addFactorRoutes(http: Http, { factors, passkeys, people }: FactorRoutesParts): void {
  const own = { permission: "account.write", scope: "somewhere", stepUp: true, tags: ["account"] } as const;

  async function userOf(id: string): Promise<UserRow> {
    const user = await people.user(id);
    if (!user) throw new AppError("SESSION_REQUIRED");
    return user;
  }

  http.route({
    ...{ method: "GET", url: "/api/v1/account/factors", permission: "account.read", tags: ["account"] },
    scope: "somewhere",
    summary: "Which second factors are enrolled",
    response: factorsResource,
    handler: (request) => factors.show(ownerOf(request).userId),
  });
  http.route({
    ...own,
    ...{ method: "POST", url: "/api/v1/account/factors/totp", isSecretAnswer: true },
    summary: "Begin to enrol an authenticator app: its secret, and the same as a URI for a QR code",
    response: totpSecret,
    statuses: [201],
    handler: async (request) => factors.beginTotp(await userOf(ownerOf(request).userId)),
  });
  http.route({
    ...own,
    ...{ method: "POST", url: "/api/v1/account/factors/totp/confirm", isSecretAnswer: true },
    summary: "Finish with a first code; answers the recovery codes, shown this once",
    body: totpConfirmation,
    response: recoveryCodes,
    async handler(request) {
      const { userId } = ownerOf(request);
      return { codes: await factors.confirmTotp(userId, request.body.code, originOf(request)) };
    },
  });
  http.route({
    ...own,
    ...{ method: "DELETE", url: "/api/v1/account/factors/totp" },
    summary: "Remove the authenticator app",
    response: z.undefined(),
    statuses: [204],
    async handler(request) {
      await factors.removeTotp(ownerOf(request).userId, originOf(request));
      return reply({ status: 204, body: undefined });
    },
  });
  http.route({
    ...own,
    ...{ method: "POST", url: "/api/v1/account/factors/recovery-codes", isSecretAnswer: true },
    summary: "Ten new recovery codes; those before are void",
    response: recoveryCodes,
    async handler(request) {
      return { codes: await factors.renewCodes(ownerOf(request).userId, originOf(request)) };
    },
  });
  http.route({
    ...own,
    ...{ method: "POST", url: "/api/v1/account/passkeys/options", isSecretAnswer: true },
    summary: "What navigator.credentials.create needs",
    response: passkeyOptionsResource,
    handler: async (request) => passkeys.registrationOptions(await userOf(ownerOf(request).userId)),
  });
  http.route({
    ...own,
    ...{ method: "POST", url: "/api/v1/account/passkeys", isSecretAnswer: true },
    summary: "Keep a passkey that a browser made; the first factor brings recovery codes",
    body: passkeyRegistration,
    response: recoveryCodes,
    statuses: [201],
    async handler(request) {
      const { userId } = ownerOf(request);
      return { codes: await factors.addPasskey({ userId, ...request.body }, originOf(request)) };
    },
  });
  http.route({
    ...own,
    ...{ method: "DELETE", url: "/api/v1/account/passkeys/:id" },
    summary: "Remove a passkey",
    params: idParam,
    response: z.undefined(),
    statuses: [204],
    async handler(request) {
      const which = { userId: ownerOf(request).userId, id: request.params.id };
      await factors.removePasskey(which, originOf(request));
      return reply({ status: 204, body: undefined });
    },
  });
}
