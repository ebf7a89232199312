import { prometheusAnswer } from "@mainstay/api";
import { z } from "zod";
import { BYTE_STREAM, type Http } from "../../../kernel/http/index.ts";
import type { ApiEndpoint } from "../metrics-store.ts";
import type { QueryApi } from "../query-api.ts";
import { askStore, FORM_TYPES, STATUSES, texts } from "./api-answer.ts";

/** Where one is asked for, the first counts. */
const text = (what: string) => texts.describe(what);
const limit = text("the most items of the answer; 0: all");
const time = (what: string) => text(`${what}: seconds since 1970, or RFC 3339`);
const match = text("selectors of series");
const span = { start: time("from"), end: time("to") };
const wish = {
  query: text("an expression of PromQL"),
  timeout: text("how long it may take"),
  lookback_delta: text("how old the newest sample of a series may be"),
  limit,
  stats: text("anything: the answer says what it took"),
};

interface Asked {
  /** Its path, too. */
  endpoint: ApiEndpoint;
  summary: string;
  query: z.ZodType<Record<string, unknown>>;
}

const LISTED = z.looseObject({ "match[]": match, ...span, limit });
const ASKED: readonly Asked[] = [
  {
    ...{ endpoint: "query", summary: "A query of PromQL for one moment" },
    query: z.looseObject({ ...wish, time: time("when") }),
  },
  {
    ...{ endpoint: "query_range", summary: "A query of PromQL for each step between two moments" },
    query: z.looseObject({ ...wish, ...span, step: text("seconds, or a duration such as 1m") }),
  },
  {
    ...{ endpoint: "query_exemplars", summary: "Exemplars of the series that a query reads" },
    query: z.looseObject({ query: wish.query, ...span }),
  },
  {
    ...{ endpoint: "format_query", summary: "A query laid out for people" },
    query: z.looseObject({ query: wish.query }),
  },
  {
    ...{ endpoint: "parse_query", summary: "A query as a tree" },
    query: z.looseObject({ query: wish.query }),
  },
  { endpoint: "labels", summary: "Names of labels", query: LISTED },
  { endpoint: "series", summary: "Series, by their labels", query: LISTED },
];

const BASE = "/prometheus/api/v1";
const COMMON = {
  permission: "metrics.read",
  takesBasic: true,
  tags: ["metrics"],
  statuses: STATUSES,
  bytes: "application/json",
  response: BYTE_STREAM,
  holds: prometheusAnswer,
} as const;

export interface QueryRoutesDependencies {
  api: QueryApi;
  /** The largest form that is read. */
  formBytes: number;
}

/** What Grafana and its like ask: the HTTP API of Prometheus, as far as it is about series. */
export function addQueryRoutes(http: Http, { api, formBytes }: QueryRoutesDependencies): void {
  for (const { endpoint, summary, query } of ASKED) {
    const shared = { ...COMMON, url: `${BASE}/${endpoint}`, query };
    http.route({
      ...{ ...shared, method: "GET", summary },
      handler: (request) => askStore(api, { endpoint }, { request, formBytes }),
    });
    http.route({
      ...{ ...shared, method: "POST", summary: `${summary}; parameters in a form`, takes: FORM_TYPES },
      handler: (request) => askStore(api, { endpoint }, { request, formBytes }),
    });
  }
  http.route({
    ...{ ...COMMON, method: "GET", url: `${BASE}/label/:name/values`, summary: "Values of a label" },
    params: z.object({ name: z.string() }),
    query: LISTED,
    handler: (request) => {
      const subject = request.params.name;
      return askStore(api, { endpoint: "label_values", subject }, { request, formBytes });
    },
  });
  http.route({
    ...{ ...COMMON, method: "GET", url: `${BASE}/metadata`, summary: "Types, help and units of metrics" },
    query: z.looseObject({ limit, limit_per_metric: limit, metric: text("one metric alone") }),
    handler: (request) => askStore(api, { endpoint: "metadata" }, { request, formBytes }),
  });
  http.route({
    ...{ ...COMMON, method: "GET", url: `${BASE}/status/tsdb`, summary: "How large the store is, and why" },
    query: z.looseObject({ limit }),
    handler: (request) => askStore(api, { endpoint: "tsdb" }, { request, formBytes }),
  });
  http.route({
    ...{ ...COMMON, method: "GET", url: `${BASE}/status/top_queries`, summary: "Queries that cost the most" },
    query: z.looseObject({
      ...{ limit, sort: text("sum, avg, max, count or samples") },
      lifetime: text("how far back: at most a day, in whole hours"),
    }),
    handler: (request) => askStore(api, { endpoint: "top_queries" }, { request, formBytes }),
  });
  http.route({
    method: "GET",
    url: "/prometheus/federate",
    permission: "metrics.read",
    takesBasic: true,
    tags: ["metrics"],
    statuses: STATUSES,
    bytes: "text/plain",
    response: BYTE_STREAM,
    summary: "The newest sample of series, in Prometheus' text format",
    query: z.looseObject({ "match[]": match }),
    handler: (request) => askStore(api, { endpoint: "federate" }, { request, formBytes }),
  });
}
