import { describe, expect, it } from "vitest";
import { readParameters } from "../parameters.ts";
import { answerTargetMetadata } from "./target-metadata.ts";
import { answerAlerts, answerRules, answerScrapePools, answerTargets } from "./view-answers.ts";
import type { ActiveTarget, AlertingRule, RecordingRule, RuleGroup } from "./views.ts";

const AT_MS = Date.UTC(2026, 0, 1);
const AT = "2026-01-01T00:00:00.000Z";
const parametersOf = (search: string) => readParameters(search, "");

const TARGET: ActiveTarget = {
  ...{ pool: "node", url: "http://one:9100/metrics", discovered: { __address__: "one:9100" } },
  labels: { job: "node", instance: "one:9100" },
  ...{ intervalMs: 90_000, timeoutMs: 10_000, health: "up", lastError: null },
  ...{ lastScrapeMs: AT_MS, lastDurationMs: 12 },
};
const POOLS = {
  pools: () => [
    { name: "node", active: [TARGET], dropped: [], droppedCount: 0 },
    {
      name: "api",
      active: [],
      dropped: [{ pool: "api", discovered: { __address__: "two" } }],
      droppedCount: 3,
    },
  ],
};

describe("targets", () => {
  it("are shown with their health, times in seconds and durations in words", () => {
    const { activeTargets, droppedTargets, droppedTargetCounts } = answerTargets(POOLS, parametersOf(""));
    expect(activeTargets).toEqual([
      {
        ...{ discoveredLabels: { __address__: "one:9100" }, labels: TARGET.labels, scrapePool: "node" },
        ...{ scrapeUrl: TARGET.url, globalUrl: TARGET.url, lastError: "", lastScrape: AT },
        ...{ lastScrapeDuration: 0.012, health: "up", scrapeInterval: "1m30s", scrapeTimeout: "10s" },
      },
    ]);
    expect(droppedTargets).toEqual([{ discoveredLabels: { __address__: "two" }, scrapePool: "api" }]);
    expect(droppedTargetCounts).toEqual({ node: 0, api: 3 });
  });

  it("are those of a state and of a pool where that is asked", () => {
    expect(answerTargets(POOLS, parametersOf("state=dropped")).activeTargets).toEqual([]);
    expect(answerTargets(POOLS, parametersOf("state=active")).droppedTargets).toEqual([]);
    expect(answerTargets(POOLS, parametersOf("scrapePool=api")).activeTargets).toEqual([]);
    expect(answerScrapePools(POOLS)).toEqual({ scrapePools: ["api", "node"] });
  });

  it("that were never asked were so at no time", () => {
    const active = [{ ...TARGET, lastScrapeMs: null, lastDurationMs: null, lastError: "refused" }];
    const pools = () => [{ name: "node", active, dropped: [], droppedCount: 0 }];
    const [target] = answerTargets({ pools }, parametersOf("")).activeTargets;
    expect(target).toMatchObject({ lastScrape: "0001-01-01T00:00:00Z", lastError: "refused" });
  });

  it("have the metadata of the families they have series of", async () => {
    const asked: string[] = [];
    const store = {
      metadata: async () => [
        { metric: "up", type: "gauge", help: "", unit: "" },
        { metric: "requests", type: "counter", help: "Requests.", unit: "" },
        { metric: "other", type: "gauge", help: "", unit: "" },
      ],
      labelValues: async ({ match }: { match: readonly string[] }) => {
        asked.push(...match);
        return ["up", "requests_total"];
      },
    };
    const found = await answerTargetMetadata(store, POOLS, parametersOf(""));
    expect(found.map(({ metric }) => metric)).toEqual(["up", "requests"]);
    expect(asked).toEqual(['{"job"="node","instance"="one:9100"}']);
    const search = `match_target=${encodeURIComponent('{job="node"}')}&metric=requests`;
    expect(await answerTargetMetadata(store, POOLS, parametersOf(search))).toEqual([
      { target: TARGET.labels, type: "counter", help: "Requests.", unit: "" },
    ]);
    expect(await answerTargetMetadata(store, POOLS, parametersOf("match_target={job='x'}"))).toEqual([]);
    await expect(answerTargetMetadata(store, POOLS, parametersOf("match_target={"))).rejects.toThrow(
      "match_target",
    );
  });
});

const STATE = {
  query: "up == 0",
  health: "ok",
  lastError: null,
  lastEvaluationMs: AT_MS,
  evaluationMs: 5,
} as const;
const RECORDING: RecordingRule = { ...STATE, kind: "recording", name: "job:up:sum", labels: { team: "a" } };
const ALERTING: AlertingRule = {
  ...{ ...STATE, kind: "alerting", name: "Down", labels: { severity: "page" }, state: "firing" },
  ...{ forMs: 60_000, keepFiringMs: 0, annotations: { summary: "It is down." } },
  alerts: [{ labels: { job: "node" }, annotations: {}, state: "firing", activeAtMs: AT_MS, value: 0 }],
};
const groupOf = (name: string, rules: RuleGroup["rules"]): RuleGroup => ({
  ...{
    name,
    file: "rules.yml",
    intervalMs: 60_000,
    limit: 0,
    lastEvaluationMs: AT_MS,
    evaluationMs: 10,
    rules,
  },
});
const RULES = { groups: () => [groupOf("first", [RECORDING]), groupOf("second", [ALERTING])] };

describe("rules", () => {
  const namesOf = async (search: string) => {
    const { groups } = await answerRules(RULES, parametersOf(search));
    return groups.flatMap((group) => group.rules.map((rule) => rule.name));
  };

  it("are shown by their groups, as recording and alerting ones", async () => {
    const { groups } = await answerRules(RULES, parametersOf(""));
    expect(groups).toMatchObject([
      {
        ...{ name: "first", file: "rules.yml", interval: 60, evaluationTime: 0.01, lastEvaluation: AT },
        rules: [
          { name: "job:up:sum", type: "recording", health: "ok", evaluationTime: 0.005, lastError: "" },
        ],
      },
      {
        name: "second",
        rules: [
          {
            ...{ name: "Down", type: "alerting", state: "firing", duration: 60, keepFiringFor: 0 },
            alerts: [{ labels: { job: "node" }, state: "firing", activeAt: AT, value: "0e+00" }],
          },
        ],
      },
    ]);
  });

  it.each([
    ["type=alert", ["Down"]],
    ["type=record", ["job:up:sum"]],
    ["rule_name[]=Down", ["Down"]],
    ["rule_group[]=first", ["job:up:sum"]],
    ["file[]=other.yml", []],
    ['match[]={severity="page"}', ["Down"]],
    ['match[]={team=~"a|b"}&match[]={severity="page"}', ["job:up:sum", "Down"]],
  ])("are those that %s asks for", async (search, names) => {
    expect(await namesOf(search)).toEqual(names);
  });

  it("come in pages of groups", async () => {
    const first = await answerRules(RULES, parametersOf("group_limit=1"));
    expect(first.groups.map(({ name }) => name)).toEqual(["first"]);
    const token = "groupNextToken" in first ? first.groupNextToken : "";
    const second = await answerRules(RULES, parametersOf(`group_limit=1&group_next_token=${token}`));
    expect(second.groups.map(({ name }) => name)).toEqual(["second"]);
    expect("groupNextToken" in second).toBe(false);
    await expect(answerRules(RULES, parametersOf("group_next_token=x"))).rejects.toThrow("group_limit");
    await expect(answerRules(RULES, parametersOf("group_limit=0"))).rejects.toThrow("a positive number");
  });

  it("come in the order of files and groups", async () => {
    const unordered = { groups: () => RULES.groups().toReversed() };
    const { groups } = await answerRules(unordered, parametersOf(""));
    expect(groups.map(({ name }) => name)).toEqual(["first", "second"]);
  });

  it("show their alerts, unless these are left out", async () => {
    expect(answerAlerts(RULES).alerts).toHaveLength(1);
    const { groups } = await answerRules(RULES, parametersOf("exclude_alerts=true&type=alert"));
    expect(groups[0]?.rules[0]).toMatchObject({ alerts: [] });
    await expect(answerRules(RULES, parametersOf("exclude_alerts=maybe"))).rejects.toThrow("exclude_alerts");
  });
});
