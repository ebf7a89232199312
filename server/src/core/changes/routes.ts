import {
  approvalBody,
  changeResource,
  commandBody,
  forcedChange,
  newChange,
  page,
  previewResource,
  rejectionBody,
  replayResource,
  reportResource,
  timelineEntry,
} from "@mainstay/api";
import type { Command } from "@mainstay/rollout";
import { z } from "zod";
import {
  foundAt,
  originOf,
  readVisible,
  type FoundScope,
  type Http,
  type Scope,
} from "../../kernel/http/index.ts";
import type { ChangeRequest, Changes } from "./changes.ts";
import type { createReport } from "./report.ts";
import { toChange, toEntry } from "./resources.ts";
import type { createWatch } from "./watch.ts";

const idParam = z.object({ id: z.string() });
const LIMIT_MAX = 200;

const COMMANDS: { verb: Command; summary: string }[] = [
  { verb: "promote", summary: "Go to the next stage now, whatever the evidence" },
  { verb: "promote-full", summary: "Go to 100 % now, whatever the evidence" },
  { verb: "pause", summary: "Hold the weights; the judge keeps watching" },
  { verb: "resume", summary: "Go on where it was paused" },
  { verb: "abort", summary: "Restore the weights and take the candidate away" },
  { verb: "finish", summary: "Stop keeping the old release warm" },
];

export interface ChangesRoutesDependencies {
  changes: Changes;
  watch: ReturnType<typeof createWatch>;
  report: ReturnType<typeof createReport>;
  /** What a request for a change is about. Throws NOT_FOUND for a candidate that is not there. */
  scopeOf(wish: ChangeRequest): Promise<Scope | FoundScope>;
}

/** What a change that exists is about. */
type Find = (request: { params: { id: string } }) => Promise<FoundScope>;

export function addChangesRoutes(http: Http, dependencies: ChangesRoutesDependencies): void {
  const { changes, watch, report, scopeOf } = dependencies;
  const find: Find = async ({ params: { id } }) =>
    foundAt(await changes.change(id), `change ${id}`, "changes.read");
  addReading(http, changes, find);
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id/report",
    permission: "changes.read",
    scope: find,
    summary: "Everything about one change: states with durations, evidence, findings, what was audited",
    params: idParam,
    response: reportResource,
    handler: async ({ params, authenticated }) => {
      const found = await report(params.id);
      const maySeeAudit = authenticated.can("audit.read", found.change);
      return maySeeAudit ? found : { ...found, audit: [] };
    },
  });
  addWatching(http, watch, find);
  addRequesting(http, changes, scopeOf);
  addEnding(http, changes, find);
  addApproving(http, changes, find);
  for (const { verb, summary } of COMMANDS) {
    http.route({
      method: "POST",
      url: `/api/v1/changes/:id/${verb}`,
      permission: "changes.steer",
      scope: find,
      summary,
      params: idParam,
      body: commandBody,
      response: changeResource,
      handler: async ({ params, body, ...request }) =>
        toChange(await changes.command(params.id, { name: verb, reason: body.reason }, originOf(request))),
    });
  }
}

function addReading(http: Http, changes: Changes, find: Find): void {
  http.route({
    method: "GET",
    url: "/api/v1/changes",
    permission: "changes.read",
    scope: "somewhere",
    summary: "Changes, newest first",
    query: z.object({
      service: z.string().optional(),
      environment: z.string().optional(),
      active: z.enum(["true", "false"]).default("false").describe("only those under way"),
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(20),
      cursor: z.string().optional().describe("the `next` of the page before"),
    }),
    response: page(changeResource),
    handler: async ({ query, authenticated }) => {
      const { service, environment, limit, cursor } = query;
      const active = query.active === "true";
      const { rows, next } = await readVisible(authenticated, "changes.read", {
        ...{ limit, cursor },
        read: (before) => changes.list({ service, environment, limit, before, active }),
        cursorOf: ({ id }) => id,
      });
      return { items: rows.map(toChange), next };
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id",
    permission: "changes.read",
    scope: find,
    summary: "One change",
    params: idParam,
    response: changeResource,
    handler: async ({ params }) => toChange(await changes.change(params.id)),
  });
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id/timeline",
    permission: "changes.read",
    scope: find,
    summary: "Every transition of a change, with its reason and evidence",
    params: idParam,
    response: page(timelineEntry),
    handler: async ({ params }) => {
      await changes.change(params.id);
      return { items: (await changes.timeline(params.id)).map(toEntry), next: null };
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id/replay",
    permission: "changes.read",
    scope: find,
    summary: "Compute the latest evidence again from the stored samples and compare",
    params: idParam,
    response: replayResource,
    handler: ({ params }) => changes.replay(params.id),
  });
}

function addWatching(http: Http, watch: ReturnType<typeof createWatch>, find: Find): void {
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id/watch",
    permission: "changes.read",
    scope: find,
    summary: "Follow a change to its end",
    params: idParam,
    query: z.object({
      after: z.coerce.number().int().min(-1).default(-1).describe("seq of the last entry known"),
    }),
    stream: "ndjson",
    response: z.object({ change: changeResource, entries: z.array(timelineEntry) }),
    handler: async ({ params, query, signal }) => watch(params.id, query.after, signal),
  });
}

type ScopeOf = ChangesRoutesDependencies["scopeOf"];

function addRequesting(http: Http, changes: Changes, scopeOf: ScopeOf): void {
  http.route({
    method: "POST",
    url: "/api/v1/changes",
    permission: "changes.write",
    scope: ({ body }) => scopeOf(body),
    summary: "Request a change",
    body: newChange,
    response: changeResource,
    handler: async ({ body, ...request }) => toChange(await changes.request(body, originOf(request))),
  });
  http.route({
    method: "POST",
    url: "/api/v1/changes/forced",
    permission: "changes.force",
    scope: ({ body }) => scopeOf(body),
    stepUp: ({ body }) => changes.isGuarded(body),
    summary: "Request a change that goes on in spite of the findings named",
    body: forcedChange,
    response: changeResource,
    handler: async ({ body, ...request }) => toChange(await changes.request(body, originOf(request))),
  });
  http.route({
    method: "POST",
    url: "/api/v1/changes/preview",
    permission: "changes.read",
    scope: ({ body }) => scopeOf(body),
    summary: "What a change would do and what speaks against it; alters nothing",
    body: forcedChange,
    response: previewResource,
    handler: async ({ body, ...request }) => {
      const { change, findings } = await changes.preview(body, originOf(request));
      return { change: toChange(change), findings };
    },
  });
}

/** A change taken out of the queue, or undone. */
function addEnding(http: Http, changes: Changes, find: Find): void {
  http.route({
    method: "POST",
    url: "/api/v1/changes/:id/cancel",
    permission: "changes.steer",
    scope: find,
    summary: "Take a change that has not begun out of the queue",
    params: idParam,
    body: commandBody,
    response: changeResource,
    handler: async ({ params, body, ...request }) =>
      toChange(await changes.cancel(params.id, body.reason, originOf(request))),
  });
  http.route({
    method: "POST",
    url: "/api/v1/changes/:id/rollback",
    permission: "changes.steer",
    scope: find,
    summary: "Undo a change under way, or bring the release before it back",
    params: idParam,
    body: commandBody,
    response: changeResource,
    handler: async ({ params, body, ...request }) =>
      toChange(await changes.rollback(params.id, body.reason, originOf(request))),
  });
}

function addApproving(http: Http, changes: Changes, find: Find): void {
  http.route({
    method: "POST",
    url: "/api/v1/changes/:id/approve",
    permission: "changes.approve",
    scope: find,
    summary: "Approve of a change that waits for it",
    params: idParam,
    body: approvalBody,
    response: changeResource,
    handler: async ({ params, body, ...request }) =>
      toChange(await changes.approve(params.id, body, originOf(request))),
  });
  http.route({
    method: "POST",
    url: "/api/v1/changes/:id/reject",
    permission: "changes.approve",
    scope: find,
    summary: "End a change that waits for approval",
    params: idParam,
    body: rejectionBody,
    response: changeResource,
    handler: async ({ params, body, ...request }) =>
      toChange(await changes.reject(params.id, body.reason, originOf(request))),
  });
}
