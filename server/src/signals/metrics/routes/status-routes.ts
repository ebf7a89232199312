import { formatDuration, prometheusAnswer, type MetricsConfig } from "@mainstay/api";
import { z } from "zod";
import type { Clock } from "../../../kernel/clock.ts";
import { BYTES, type Http } from "../../../kernel/http/index.ts";
import type { MetricsRoom } from "../metrics.ts";
import { answerHere, STATUSES, texts } from "./api-answer.ts";
import { answerTargetMetadata } from "./target-metadata.ts";
import { answerAlerts, answerRules, answerScrapePools, answerTargets } from "./view-answers.ts";
import type { RulesView, TargetsView } from "./views.ts";

export interface StatusRoutesDependencies {
  room: Pick<MetricsRoom, "store" | "state">;
  targets: TargetsView;
  rules: RulesView;
  /** What is scraped, in the form of Prometheus' configuration. */
  configText(): string;
  config: MetricsConfig;
  clock: Clock;
  version: string;
}

/** The Prometheus whose API and language are answered: programs ask for it to know what they may ask. */
const LIKE_PROMETHEUS = "3.14.0";
const BASE = "/prometheus/api/v1";
const COMMON = {
  method: "GET",
  permission: "metrics.read",
  takesBasic: true,
  tags: ["metrics"],
  bytes: "application/json",
  statuses: STATUSES,
  response: BYTES,
  holds: prometheusAnswer,
} as const;

/** Where one is asked for, the first counts. */
const text = texts;

/** What is scraped, what is evaluated, and what stands behind the API. */
export function addStatusRoutes(http: Http, dependencies: StatusRoutesDependencies): void {
  addViewRoutes(http, dependencies);
  const { room, config, clock, configText, version } = dependencies;
  const startedAt = clock.now();
  const status = (name: string, summary: string, answer: () => unknown) =>
    http.route({
      ...{ ...COMMON, url: `${BASE}/status/${name}`, summary },
      query: z.looseObject({}),
      handler: (request) => answerHere(request, answer),
    });
  status("config", "What is scraped, in the form of Prometheus' configuration", () => ({
    yaml: configText(),
  }));
  status("flags", "Settings by the names that Prometheus has for them", () => flagsOf(config));
  status("runtimeinfo", "What is known of the running store", async () => {
    const { quarantined } = await room.store.stats().catch(() => ({ quarantined: [] }));
    return {
      ...{ startTime: startedAt.toISOString(), serverTime: clock.now().toISOString(), CWD: process.cwd() },
      ...{ reloadConfigSuccess: true, lastConfigTime: startedAt.toISOString() },
      corruptionCount: quarantined.length,
      storageRetention: formatDuration(config.retention.raw),
    };
  });
  status("buildinfo", "Which Prometheus the API is that of, and which Mainstay answers", () => ({
    ...{
      version: LIKE_PROMETHEUS,
      revision: `mainstay-${version}`,
      branch: "",
      buildUser: "",
      buildDate: "",
    },
    ...{ goVersion: "", application: "Mainstay" },
  }));
  status("walreplay", "Whether the log has been replayed", () => {
    const state = room.state().state === "ready" ? "done" : "in progress";
    return { min: 0, max: 0, current: 0, state };
  });
}

function addViewRoutes(http: Http, { room, targets, rules }: StatusRoutesDependencies): void {
  http.route({
    ...{ ...COMMON, url: `${BASE}/targets`, summary: "What is scraped, and how that goes" },
    query: z.looseObject({ state: text.describe("active, dropped or any"), scrapePool: text }),
    handler: (request) => answerHere(request, (parameters) => answerTargets(targets, parameters)),
  });
  http.route({
    ...{ ...COMMON, url: `${BASE}/targets/metadata`, summary: "Metadata of the metrics of each target" },
    query: z.looseObject({ match_target: text, metric: text, limit: text }),
    handler: (request) =>
      answerHere(request, (parameters) => answerTargetMetadata(room.store, targets, parameters)),
  });
  http.route({
    ...{ ...COMMON, url: `${BASE}/scrape_pools`, summary: "Names of the jobs that are scraped" },
    query: z.looseObject({}),
    handler: (request) => answerHere(request, () => answerScrapePools(targets)),
  });
  http.route({
    ...{ ...COMMON, url: `${BASE}/rules`, summary: "Recording and alerting rules, and how they went" },
    query: z.looseObject({
      ...{ type: text.describe("alert or record"), "rule_name[]": texts, "rule_group[]": texts },
      ...{ "file[]": texts, "match[]": texts, exclude_alerts: text },
      ...{ group_limit: text, group_next_token: text },
    }),
    handler: (request) => answerHere(request, (parameters) => answerRules(rules, parameters)),
  });
  http.route({
    ...{ ...COMMON, url: `${BASE}/alerts`, summary: "Alerts that are pending or firing" },
    query: z.looseObject({}),
    handler: (request) => answerHere(request, () => answerAlerts(rules)),
  });
  http.route({
    ...{ ...COMMON, url: `${BASE}/alertmanagers`, summary: "None: Mainstay tells of alerts by itself" },
    query: z.looseObject({}),
    handler: (request) => answerHere(request, () => ({ activeAlertmanagers: [], droppedAlertmanagers: [] })),
  });
}

function flagsOf({ retention, query, outOfOrder }: MetricsConfig): Record<string, string> {
  return {
    "query.lookback-delta": "5m",
    "query.max-samples": String(query.samples),
    "query.timeout": formatDuration(query.timeout),
    "storage.tsdb.out-of-order-time-window": formatDuration(outOfOrder),
    "storage.tsdb.retention.size": retention.size === null ? "0B" : `${retention.size}B`,
    "storage.tsdb.retention.time": formatDuration(retention.raw),
    "web.enable-admin-api": "true",
    "web.enable-otlp-receiver": "true",
    "web.enable-remote-write-receiver": "true",
  };
}
