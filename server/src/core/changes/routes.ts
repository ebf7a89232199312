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
import { originOf, type Http } from "../../kernel/http/index.ts";
import type { Changes } from "./changes.ts";
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
}

export function addChangesRoutes(http: Http, { changes, watch, report }: ChangesRoutesDependencies): void {
  addReading(http, changes);
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id/report",
    permission: "changes.read",
    summary: "Everything about one change: states with durations, evidence, findings, what was audited",
    params: idParam,
    response: reportResource,
    handler: ({ params }) => report(params.id),
  });
  addWatching(http, watch);
  addRequesting(http, changes);
  addApproving(http, changes);
  for (const { verb, summary } of COMMANDS) {
    http.route({
      method: "POST",
      url: `/api/v1/changes/:id/${verb}`,
      permission: "changes.write",
      summary,
      params: idParam,
      body: commandBody,
      response: changeResource,
      handler: async ({ params, body, ...request }) =>
        toChange(await changes.command(params.id, { name: verb, reason: body.reason }, originOf(request))),
    });
  }
}

function addReading(http: Http, changes: Changes): void {
  http.route({
    method: "GET",
    url: "/api/v1/changes",
    permission: "changes.read",
    summary: "Changes, newest first",
    query: z.object({
      service: z.string().optional(),
      environment: z.string().optional(),
      active: z.enum(["true", "false"]).default("false").describe("only those under way"),
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(20),
      cursor: z.string().optional().describe("the `next` of the page before"),
    }),
    response: page(changeResource),
    handler: async ({ query }) => {
      const { service, environment, limit, cursor } = query;
      const rows = await changes.list({
        service,
        environment,
        limit,
        before: cursor,
        active: query.active === "true",
      });
      return { items: rows.map(toChange), next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null };
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id",
    permission: "changes.read",
    summary: "One change",
    params: idParam,
    response: changeResource,
    handler: async ({ params }) => toChange(await changes.change(params.id)),
  });
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id/timeline",
    permission: "changes.read",
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
    summary: "Compute the latest evidence again from the stored samples and compare",
    params: idParam,
    response: replayResource,
    handler: ({ params }) => changes.replay(params.id),
  });
}

function addWatching(http: Http, watch: ReturnType<typeof createWatch>): void {
  http.route({
    method: "GET",
    url: "/api/v1/changes/:id/watch",
    permission: "changes.read",
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

function addRequesting(http: Http, changes: Changes): void {
  http.route({
    method: "POST",
    url: "/api/v1/changes",
    permission: "changes.write",
    summary: "Request a change",
    body: newChange,
    response: changeResource,
    handler: async ({ body, ...request }) => toChange(await changes.request(body, originOf(request))),
  });
  http.route({
    method: "POST",
    url: "/api/v1/changes/forced",
    permission: "changes.force",
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
    summary: "What a change would do and what speaks against it; alters nothing",
    body: forcedChange,
    response: previewResource,
    handler: async ({ body, ...request }) => {
      const { change, findings } = await changes.preview(body, originOf(request));
      return { change: toChange(change), findings };
    },
  });
  http.route({
    method: "POST",
    url: "/api/v1/changes/:id/cancel",
    permission: "changes.write",
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
    permission: "changes.write",
    summary: "Undo a change under way, or bring the release before it back",
    params: idParam,
    body: commandBody,
    response: changeResource,
    handler: async ({ params, body, ...request }) =>
      toChange(await changes.rollback(params.id, body.reason, originOf(request))),
  });
}

function addApproving(http: Http, changes: Changes): void {
  const scopeOf = async (id: string) => {
    const { environment, service } = await changes.change(id);
    return { environment, service, what: `change ${id}`, read: "changes.read" } as const;
  };
  http.route({
    method: "POST",
    url: "/api/v1/changes/:id/approve",
    permission: "changes.approve",
    scope: ({ params }) => scopeOf(params.id),
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
    scope: ({ params }) => scopeOf(params.id),
    summary: "End a change that waits for approval",
    params: idParam,
    body: rejectionBody,
    response: changeResource,
    handler: async ({ params, body, ...request }) =>
      toChange(await changes.reject(params.id, body.reason, originOf(request))),
  });
}
