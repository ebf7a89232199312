import {
  archiveOrder,
  archiveResult,
  auditDetails,
  auditFilter,
  auditLine,
  auditLogResource,
  auditResource,
  erasureOrder,
  erasureResult,
  page,
} from "@mainstay/api";
import { z } from "zod";
import type { Clock } from "../../kernel/clock.ts";
import type { DatabaseHandle } from "../../kernel/database/index.ts";
import { originOf, type Http } from "../../kernel/http/index.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Audit } from "./audit.ts";
import { diffRecords } from "./domain/diff.ts";
import { scopeOfEntry } from "./entry-scope.ts";
import { addLogRoutes } from "./log-routes.ts";
import { followEntries, readEntries } from "./tail.ts";

export interface AuditRoutesDependencies {
  audit: Audit;
  auditLog: AuditLog;
  listen: DatabaseHandle["listen"];
  clock: Clock;
  /** Whether checkpoint and tiles are for everybody. */
  isPublic: boolean;
}

const LIMIT_MAX = 200;
const idParam = z.object({ id: z.string().describe("id or index") });
const TAGS = ["audit"];

export function addAuditRoutes(http: Http, dependencies: AuditRoutesDependencies): void {
  addReading(http, dependencies);
  addStreams(http, dependencies);
  addKeeping(http, dependencies);
  addLogRoutes(http, dependencies);
}

function addReading(http: Http, { audit, auditLog }: AuditRoutesDependencies): void {
  http.route({
    method: "GET",
    url: "/api/v1/audit",
    permission: "audit.read",
    scope: "somewhere",
    summary: "Every change of state: who, what, why, newest first",
    query: auditFilter.extend({
      limit: z.coerce.number().int().min(1).max(LIMIT_MAX).default(50),
      cursor: z
        .string()
        .regex(/^[0-9]{1,15}$/, "expected the `next` of the page before")
        .optional()
        .describe("the `next` of the page before"),
    }),
    response: page(auditResource),
    handler: async ({ query: { limit, cursor, ...filter }, authenticated: reader }) => {
      const { entries, cursor: next } = await audit.list({ cursor, limit, filter, reader });
      return { items: entries, next };
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/audit/entries/:id",
    permission: "audit.read",
    scope: ({ params }) => scopeOfEntry(audit, params.id),
    summary: "One entry: what it altered, and what its leaf in the log is made of",
    params: idParam,
    response: auditDetails,
    handler: async ({ params }) => {
      const { entry, disclosure } = await audit.find(params.id);
      const diff = diffRecords(entry.before, entry.after);
      return { entry, diff, disclosure, isInLog: await auditLog.isInLog(entry.index) };
    },
  });
}

function addStreams(http: Http, dependencies: AuditRoutesDependencies): void {
  const { audit } = dependencies;
  http.route({
    method: "GET",
    url: "/api/v1/audit/export",
    permission: "audit.read",
    summary: "Entries in their order, each with what its leaf in the log is made of",
    tags: TAGS,
    query: auditFilter.extend({
      after: z.coerce.number().int().min(0).default(0).describe("the index before the first"),
      upTo: z.coerce.number().int().min(0).optional().describe("the index of the last"),
    }),
    response: auditLine,
    stream: "ndjson",
    handler: ({ query: { after, upTo, ...filter }, signal }) =>
      readEntries({ audit, filter, after, upTo: upTo ?? Number.MAX_SAFE_INTEGER, signal }),
  });
  http.route({
    method: "GET",
    url: "/api/v1/audit/tail",
    permission: "audit.read",
    summary: "Entries as they come, from an index on; from now on without one",
    tags: TAGS,
    query: auditFilter.extend({ after: z.coerce.number().int().min(0).optional() }),
    response: auditResource,
    stream: "ndjson",
    handler: ({ query: { after, ...filter }, signal }) =>
      followEntries({ ...dependencies, filter, after, signal }),
  });
}

function addKeeping(http: Http, { audit, auditLog }: AuditRoutesDependencies): void {
  http.route({
    method: "POST",
    url: "/api/v1/audit/erase",
    permission: "audit.erase",
    summary: "Erase the personal data of somebody; the log stays whole. Tries first unless told otherwise",
    body: erasureOrder,
    response: erasureResult,
    handler: async (request) => {
      const { person, reason, dryRun } = request.body;
      const found = await audit.erase({ person, reason, isDryRun: dryRun }, originOf(request));
      return { dryRun, ...found };
    },
  });
  http.route({
    method: "POST",
    url: "/api/v1/audit/archive",
    permission: "audit.archive",
    summary: "Move old entries into files; the log stays whole. Tries first unless told otherwise",
    body: archiveOrder,
    response: archiveResult,
    handler: (request) => {
      const { before, reason, dryRun } = request.body;
      return auditLog.archive({ before: new Date(before), reason, isDryRun: dryRun }, originOf(request));
    },
  });
  http.route({
    method: "GET",
    url: "/api/v1/audit/log",
    permission: "audit.read",
    summary: "The log over the audit: its key, how far it is, who keeps its checkpoints, and what is wrong",
    response: auditLogResource,
    handler: () => auditLog.status(),
  });
}
