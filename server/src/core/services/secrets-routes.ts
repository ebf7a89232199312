import {
  AppError,
  revealedSecrets,
  revealWish,
  secretsResource,
  serviceName,
  type RevealedSecrets,
  type SecretsResource,
} from "@mainstay/api";
import { z } from "zod";
import type { Database } from "../../kernel/database/index.ts";
import type { Http, Origin } from "../../kernel/http/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Services } from "./services.ts";
import type { Target } from "./store.ts";

const targetParams = z.object({ service: serviceName, environment: serviceName });
const URL = "/api/v1/environments/:environment/services/:service/secrets";

export interface SecretsRoutesDependencies {
  services: Services;
  db: Database;
  audit: Audit;
}

/** The names and versions of a service's secrets, and, for who may, the values. */
export function addSecretsRoutes(http: Http, { services, db, audit }: SecretsRoutesDependencies): void {
  http.route({
    method: "GET",
    url: URL,
    permission: "settings.read",
    scope: ({ params }) => params,
    summary: "The names of a service's secrets and every version of their values, without the values",
    params: targetParams,
    response: secretsResource,
    handler: ({ params }) => describe(services, params),
  });
  http.route({
    method: "POST",
    url: `${URL}/reveal`,
    permission: "secrets.reveal",
    scope: ({ params }) => params,
    stepUp: true,
    isSecretAnswer: true,
    summary: "The values of a service's secrets; who asked is audited",
    params: targetParams,
    body: revealWish,
    response: revealedSecrets,
    async handler({ params, body, actor, requestId, address }) {
      const found = await reveal(services, params, body.version);
      const origin: Origin = { actor, requestId, address };
      const names = Object.keys(found.values);
      const after = { version: found.version, names };
      const resource = { type: "service", id: `${params.environment}/${params.service}` };
      const { reason } = body;
      const entry = { ...origin, ...params, action: "services.secrets_revealed", resource, after, reason };
      await db.transaction().execute((tx) => audit.record(tx, entry));
      return found;
    },
  });
}

async function describe(services: Services, target: Target): Promise<SecretsResource> {
  const { secrets, settings } = services;
  const [release, versions, users] = await Promise.all([
    settings.serving(target),
    secrets.versions(target),
    secrets.users(target),
  ]);
  if (!release && versions.length === 0) await services.service(target);
  const used = release ? release.secrets_version : (versions[0]?.id ?? null);
  const version = versions.find(({ id }) => id === used);
  const valued = version?.names ?? [];
  const changedAt = (name: string) => {
    const last = versions.find(
      ({ number, changed }) => number <= (version?.number ?? 0) && changed.includes(name),
    );
    return last?.created_at.toISOString() ?? null;
  };
  return {
    ...target,
    release: release?.id ?? null,
    version: version?.number ?? null,
    secrets: [...new Set([...(release?.snapshot.secrets ?? []), ...valued])].toSorted().map((name) => ({
      name,
      isSet: release?.settings.secrets.includes(name) ?? true,
      hasValue: valued.includes(name),
      changedAt: changedAt(name),
    })),
    versions: versions.map(({ id, number, names, changed, created_at: at, created_by: createdBy }) => ({
      ...{ number, names, changed, createdBy, createdAt: at.toISOString() },
      releases: users.filter((each) => each.secrets_version === id).map((each) => each.id),
      isServing: release !== null && id === used,
    })),
  };
}

async function reveal(services: Services, target: Target, number?: number): Promise<RevealedSecrets> {
  const { secrets, settings } = services;
  const versions = await secrets.versions(target);
  const release = await settings.serving(target);
  const used = release ? release.secrets_version : (versions[0]?.id ?? null);
  const version = versions.find((each) => (number === undefined ? each.id === used : each.number === number));
  if (version) return { version: version.number, values: await secrets.all(version.id) };
  if (number === undefined) return { version: null, values: {} };
  throw new AppError("NOT_FOUND", { what: `version ${number} of the secrets of ${target.service}` });
}
