import {
  alteration,
  releaseResource,
  serviceName,
  settingsResource,
  type SettingsResource,
} from "@mainstay/api";
import { z } from "zod";
import { originOf, reply, type Http } from "../../kernel/http/index.ts";
import { toRelease } from "./resources.ts";
import type { Services } from "./services.ts";
import type { ReleaseRow, ServiceRow, Target } from "./store.ts";

const targetParams = z.object({ service: serviceName, environment: serviceName });
const URL = "/api/v1/environments/:environment/services/:service/settings";

/** A service's variables, the names of its secrets, and its numbers of instances. */
export function addSettingsRoutes(http: Http, services: Services): void {
  http.route({
    method: "GET",
    url: URL,
    permission: "settings.read",
    scope: ({ params }) => params,
    summary: "The configuration of what serves, and the names of its secrets",
    params: targetParams,
    response: settingsResource,
    handler: async ({ params }) => {
      const [release, row] = [await services.settings.mustServe(params), await services.service(params)];
      return toSettings(release, row);
    },
  });
  http.route({
    method: "POST",
    url: URL,
    permission: "settings.write",
    scope: ({ params }) => params,
    summary:
      "Make a release of the code that serves with another configuration; request a change for it next",
    params: targetParams,
    body: alteration,
    statuses: [200, 202],
    response: releaseResource.nullable(),
    handler: async ({ params, body, ...request }) => {
      const origin = originOf(request);
      if (await isWaitingForFirst(services, params, body.env)) {
        await services.settings.prepareSecrets(params, body.secrets, origin);
        return reply({ status: 202, body: null });
      }
      return toRelease(await services.settings.derive(params, body, origin));
    },
  });
}

/** Secrets may be there before the first release that needs them. */
async function isWaitingForFirst(services: Services, target: Target, env: object): Promise<boolean> {
  return Object.keys(env).length === 0 && (await services.settings.serving(target)) === null;
}

function toSettings(release: ReleaseRow, row: ServiceRow): SettingsResource {
  const { service, environment, snapshot, settings } = release;
  return {
    ...{ service, environment, release: release.id },
    env: Object.entries(snapshot.env).map(([name, value]) => ({ name, value, isSet: name in settings.env })),
    secrets: snapshot.secrets.map((name) => ({ name, isSet: settings.secrets.includes(name) })),
    scale: Object.entries(snapshot.processes).map(([process, spec]) => ({
      process,
      instances: row.scale[process] ?? spec.instances,
      file: spec.instances,
    })),
  };
}
