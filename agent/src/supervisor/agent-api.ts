import type { AgentMetrics, Counters, DesiredState, ObservedState } from "@mainstay/api";
import { CallRefused, sendJson, serveJson, type JsonServer } from "../system/unix-server.ts";
import {
  findHttpsError,
  findShapeError,
  isChallenges,
  isDesiredState,
  isHttpsSettings,
} from "./desired-shape.ts";
import { EngineUnreachable } from "../containers/engine-http.ts";
import { ImageUnavailable, type Images } from "../containers/images.ts";
import type { CallGuard } from "./call-guard.ts";
import type { Events } from "./events.ts";
import type { Https } from "./https.ts";
import type { Journal } from "./journal.ts";
import { sendLogs } from "./log-files.ts";

const MAX_BODY_BYTES = 8 * 1024 * 1024;
const DEFAULT_TAIL_LINES = 100;
const MAX_TAIL_LINES = 10_000;
/** What doctor and upgrade look at, which sign nothing; every other call needs a token. */
const OPEN_CALL = "GET /v1/observed";

interface AgentApiOptions {
  path: string;
  guard: CallGuard;
  /** null: refused, because a later generation is applied already. */
  put: (desired: DesiredState) => Promise<ObservedState | null>;
  observe: () => Promise<ObservedState>;
  counters: () => Promise<Counters>;
  metrics: () => Promise<AgentMetrics>;
  https: Pick<Https, "put" | "challenge">;
  images: Pick<Images, "resolve" | "remove">;
  events: Events;
  journal: Journal;
  /** Where an instance's log is, and when nothing more comes; null when there is no such instance. */
  logOf: (id: string) => { directory: string; over: Promise<void> | null } | null;
}

/** The protocol of api/src/agent-protocol.ts on `agent.sock`. */
export function serveAgentApi(options: AgentApiOptions): Promise<JsonServer> {
  const { path, guard, put, observe, counters, metrics, https, images, events, journal, logOf } = options;
  return serveJson({
    path,
    maxBodyBytes: MAX_BODY_BYTES,
    refuse: (call, authorization) => (call === OPEN_CALL ? null : guard(authorization)),
    routes: {
      "PUT /v1/desired": async ({ body, response }) => {
        if (!isDesiredState(body)) throw new CallRefused(400, findShapeError(body) ?? "not a desired state");
        const observed = await put(body);
        if (observed) return observed;
        return sendJson(response, 409, await observe());
      },
      "PUT /v1/https": async ({ body }) => {
        if (!isHttpsSettings(body))
          throw new CallRefused(400, findHttpsError(body) ?? "no settings of HTTPS");
        await https.put(body);
        return {};
      },
      "PUT /v1/challenges": async ({ body }) => {
        if (!isChallenges(body)) throw new CallRefused(400, "not a list of challenges");
        await https.challenge(body.challenges);
        return {};
      },
      "POST /v1/images": async ({ body }) => ({ image: await resolveImage(images, Object(body).image) }),
      "DELETE /v1/images": async ({ body }) => ({
        removed: await images.remove(namesOf(Object(body).images)),
      }),
      "GET /v1/observed": observe,
      "GET /v1/counters": counters,
      "GET /v1/metrics": metrics,
      "GET /v1/events": ({ response }) => events.stream(response),
      "GET /v1/journal": ({ query }) => ({ entries: journal.after(Number(query.get("after") ?? 0)) }),
      "GET /v1/instances/:id/logs": ({ params, query, response }) => {
        const log = logOf(params[0] ?? "");
        if (log === null) throw new CallRefused(404, `there is no instance ${params[0]}`);
        const tailLines = Math.min(MAX_TAIL_LINES, Number(query.get("tail") ?? DEFAULT_TAIL_LINES));
        const since = query.get("since");
        const wish = {
          ...{ tailLines, follow: query.get("follow") === "1" },
          ...(since === null ? {} : { sinceMs: Number(since) }),
          ...(log.over ? { over: log.over } : {}),
        };
        return sendLogs(log.directory, wish, response);
      },
    },
  });
}

async function resolveImage(images: Pick<Images, "resolve">, image: unknown): Promise<string> {
  if (typeof image !== "string") throw new CallRefused(400, "image: expected text");
  try {
    return await images.resolve(image);
  } catch (error) {
    if (error instanceof EngineUnreachable) throw new CallRefused(503, error.message);
    if (error instanceof ImageUnavailable) throw new CallRefused(422, error.message);
    throw error;
  }
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
