import { createHash } from "node:crypto";
import { ApiError, invalidParameter } from "../api-error.ts";
import { readCount, readTruth, type Parameters } from "../parameters.ts";
import { padExponent, valueText } from "../thread/api/json.ts";
import { labelsFilter } from "./labels-filter.ts";
import type {
  ActiveAlert,
  ActiveTarget,
  AlertingRule,
  RecordingRule,
  RuleGroup,
  RulesView,
  TargetsView,
} from "./views.ts";

/** Go's zero time: never. */
const NEVER = "0001-01-01T00:00:00Z";
const MS_PER_SECOND = 1000;

/** `targets` */
export function answerTargets({ pools }: TargetsView, parameters: Parameters) {
  const state = parameters.text("state").toLowerCase();
  const wanted = parameters.text("scrapePool");
  const shown = pools().filter(({ name }) => wanted === "" || name === wanted);
  const hasActive = state === "" || state === "any" || state === "active";
  const hasDropped = state === "" || state === "any" || state === "dropped";
  const dropped = hasDropped ? shown.flatMap((pool) => pool.dropped) : [];
  return {
    activeTargets: hasActive ? shown.flatMap(({ active }) => active.map(targetJson)) : [],
    droppedTargets: dropped.map(({ pool, discovered }) => ({
      discoveredLabels: discovered,
      scrapePool: pool,
    })),
    droppedTargetCounts: Object.fromEntries(shown.map(({ name, droppedCount }) => [name, droppedCount])),
  };
}

function targetJson(target: ActiveTarget) {
  const { pool, url, discovered, labels, health, lastError, lastScrapeMs, lastDurationMs } = target;
  return {
    ...{ discoveredLabels: discovered, labels, scrapePool: pool, scrapeUrl: url, globalUrl: url },
    lastError: lastError ?? "",
    lastScrape: timeOf(lastScrapeMs),
    lastScrapeDuration: (lastDurationMs ?? 0) / MS_PER_SECOND,
    health,
    scrapeInterval: durationText(target.intervalMs),
    scrapeTimeout: durationText(target.timeoutMs),
  };
}

/** `scrape_pools` */
export function answerScrapePools({ pools }: TargetsView) {
  const names = pools().map(({ name }) => name);
  return { scrapePools: names.toSorted() };
}

/** `rules` */
export async function answerRules({ groups }: RulesView, parameters: Parameters) {
  const isShown = await ruleFilter(parameters);
  const withoutAlerts = readTruth(parameters, "exclude_alerts");
  const [names, files] = [parameters.all("rule_group[]"), parameters.all("file[]")];
  const matching = groups()
    .filter(({ name, file }) => isAmong(names, name) && isAmong(files, file))
    .map((group) => ({ ...group, rules: group.rules.filter(isShown) }))
    .filter(({ rules }) => rules.length > 0)
    .toSorted(byFileAndName);
  const { shown, token } = pageOf(matching, parameters);
  const all = shown.map((group) => groupJson(group, withoutAlerts));
  return token === null ? { groups: all } : { groups: all, groupNextToken: token };
}

type Rule = RecordingRule | AlertingRule;

async function ruleFilter(parameters: Parameters): Promise<(rule: Rule) => boolean> {
  const type = parameters.text("type").toLowerCase();
  if (!["", "alert", "record"].includes(type))
    throw invalidParameter("type", `not supported value ${JSON.stringify(type)}`);
  const kind = type === "alert" ? "alerting" : "recording";
  const names = parameters.all("rule_name[]");
  const matches = await labelsFilter("match[]", parameters.all("match[]"));
  return (rule) => (type === "" || rule.kind === kind) && isAmong(names, rule.name) && matches(rule.labels);
}

function byFileAndName(a: RuleGroup, b: RuleGroup): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}

function isAmong(wanted: readonly string[], name: string): boolean {
  return wanted.length === 0 || wanted.includes(name);
}

function pageOf(groups: readonly RuleGroup[], parameters: Parameters) {
  const limit = readCount(parameters, "group_limit", Infinity);
  const token = parameters.text("group_next_token");
  if (token !== "" && limit === Infinity)
    throw new ApiError("bad_data", "group_limit needs to be present in order to paginate over the groups");
  const start = token === "" ? 0 : groups.findIndex((group) => tokenOf(group) === token);
  if (start === -1) throw invalidParameter("group_next_token", "no such group");
  const next = groups[start + limit];
  return { shown: groups.slice(start, start + limit), token: next === undefined ? null : tokenOf(next) };
}

function tokenOf({ file, name }: RuleGroup): string {
  return createHash("sha256").update(`${file};${name}`).digest("hex").slice(0, 40);
}

function groupJson(
  { name, file, intervalMs, limit, evaluationMs, ...group }: RuleGroup,
  withoutAlerts: boolean,
) {
  return {
    ...{ name, file, interval: intervalMs / MS_PER_SECOND, limit },
    evaluationTime: evaluationMs / MS_PER_SECOND,
    lastEvaluation: timeOf(group.lastEvaluationMs),
    rules: group.rules.map((rule) => ruleJson(rule, withoutAlerts)),
  };
}

function ruleJson(rule: Rule, withoutAlerts: boolean) {
  const { name, query, labels, health, lastError, evaluationMs, lastEvaluationMs } = rule;
  const common = {
    ...{ name, query, labels, health, lastError: lastError ?? "" },
    evaluationTime: evaluationMs / MS_PER_SECOND,
    lastEvaluation: timeOf(lastEvaluationMs),
    type: rule.kind,
  };
  if (rule.kind === "recording") return common;
  return {
    ...common,
    ...{ state: rule.state, duration: rule.forMs / MS_PER_SECOND, annotations: rule.annotations },
    keepFiringFor: rule.keepFiringMs / MS_PER_SECOND,
    alerts: withoutAlerts ? [] : rule.alerts.map(alertJson),
  };
}

/** `alerts` */
export function answerAlerts({ groups }: RulesView) {
  const rules = groups().flatMap((group) => group.rules);
  return { alerts: rules.flatMap((rule) => (rule.kind === "alerting" ? rule.alerts.map(alertJson) : [])) };
}

function alertJson({ labels, annotations, state, activeAtMs, value }: ActiveAlert) {
  return { labels, annotations, state, activeAt: timeOf(activeAtMs), value: exponentialText(value) };
}

/** As Prometheus writes the value of an alert: with an exponent of two digits at least. */
function exponentialText(value: number): string {
  return Number.isFinite(value) ? padExponent(value.toExponential()) : valueText(value);
}

function timeOf(timeMs: number | null): string {
  return timeMs === null ? NEVER : new Date(timeMs).toISOString();
}

const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** As Prometheus writes durations: 90000 → 1m30s. */
function durationText(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, unitMs] of UNITS) {
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text === "" ? "0s" : text;
}
