import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { QueryResult } from "@mainstay/metrics";
import { createLabels, isStaleAt } from "@mainstay/metrics/model";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../../../../tests/support/log.ts";
import { createVirtualClock } from "../../kernel/clock.ts";
import { createMetrics } from "../../kernel/metrics.ts";
import { waitUntil } from "../../../../tests/support/wait-until.ts";
import { MetricsError, type AppendBatch } from "../metrics/index.ts";
import { createRules } from "./rules.ts";

const START_MS = Date.parse("2026-11-01T12:00:00Z");
const RULES = `groups:
  - name: shop
    interval: 10s
    query_offset: 2s
    rules:
      - { record: "zone:busy:sum", expr: sum by (zone) (busy), labels: { team: web } }
      - { record: total, expr: sum(busy) }
      - { alert: Idle, expr: busy == 0, for: 5m }
`;

async function setUp(text = RULES) {
  const directory = await mkdtemp(path.join(tmpdir(), "mainstay-rules-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const file = path.join(directory, "rules.yaml");
  await writeFile(file, text);
  const clock = createVirtualClock(START_MS);
  const metrics = createMetrics({ clock, log: silentLog });
  const world = {
    zones: { a: 1, b: 2 } as Record<string, number>,
    fault: null as Error | null,
    pause: async () => {},
  };
  const written: string[] = [];
  const store = {
    async query({ query, timeMs = 0 }: { query: string; timeMs?: number }): Promise<QueryResult> {
      await world.pause();
      if (world.fault) throw world.fault;
      const zones = Object.entries(world.zones);
      const samples = query.startsWith("sum by")
        ? zones.map(([zone, value]) => ({ labels: createLabels([["zone", zone]]), value }))
        : [{ labels: createLabels([]), value: zones.reduce((sum, [, value]) => sum + value, 0) }];
      return { value: { type: "vector", timeMs, samples }, warnings: [], infos: [] };
    },
    async append(batch: AppendBatch) {
      for (const [index, position] of batch.positions.entries()) {
        const labels = (batch.series[position] ?? []).map(([, value]) => value).join(" ");
        const value = isStaleAt(batch.values, index) ? "ends" : String(batch.values[index]);
        written.push(`${(batch.timestampsMs[index] ?? 0) - START_MS}: ${labels} ${value}`);
      }
      return { written: { samples: 0, histograms: 0, exemplars: 0 }, repeated: 0, refused: [] };
    },
  };
  const rules = createRules({
    ...{ store, clock, log: silentLog, metrics, files: [file], intervalMs: 60_000, lookMs: 1000 },
  });
  await rules.start();
  onTestFinished(() => rules.stop());
  const iterate = async () => {
    written.length = 0;
    await clock.advance(10_000);
    await waitUntil("an evaluation", () => written.length > 0);
    return written.map((each) => each.replace(/^-?\d+: /, ""));
  };
  return { rules, world, written, clock, file, metrics, iterate };
}

it("rules are evaluated in their order on the group's interval, asked behind the present", async () => {
  const { rules, iterate, written, clock } = await setUp();
  expect(await iterate()).toEqual(["zone:busy:sum web a 1", "zone:busy:sum web b 2", "total 3"]);
  const first = Number(written[0]?.split(":")[0]);
  const [group] = rules.groups();
  expect(group).toMatchObject({
    name: "shop",
    intervalMs: 10_000,
    lastEvaluationMs: START_MS + first + 2000,
  });
  expect(group?.rules.map(({ kind, name, health }) => [kind, name, health])).toEqual([
    ["recording", "zone:busy:sum", "ok"],
    ["recording", "total", "ok"],
    ["alerting", "Idle", "unknown"],
  ]);
  await iterate();
  expect(Number(written[0]?.split(":")[0]) - first).toBe(10_000);
  expect(clock.now().getTime()).toBe(START_MS + 20_000);
});

it("series that a rule no longer yields end", async () => {
  const { world, iterate } = await setUp();
  await iterate();
  delete world.zones["a"];
  expect(await iterate()).toContain("zone:busy:sum web a ends");
  expect(await iterate()).not.toContain("zone:busy:sum web a ends");
});

it("a rule that fails is told, counted and tried again; the others go on", async () => {
  const { rules, world, iterate, metrics, clock } = await setUp();
  await iterate();
  world.fault = new MetricsError("timeout", "the query took too long");
  await clock.advance(10_000);
  await waitUntil("the failure", () => rules.problems().length > 0);
  expect(rules.problems()).toEqual([
    {
      ...{ kind: "rules-failing", subject: "shop" },
      summary: "The rule zone:busy:sum of shop fails: the query took too long",
    },
  ]);
  expect(await metrics.render()).toContain('mainstay_rules_failures_total{group="shop"}');
  world.fault = null;
  await iterate();
  await waitUntil("the end of the failure", () => rules.problems().length === 0);
});

it("an altered file is taken in, and series end; a broken one leaves the old in force", async () => {
  const { rules, iterate, file, clock, written } = await setUp();
  await iterate();
  await writeFile(file, `${RULES}      - { record: x, expr: "sum(" }\n`);
  await waitUntil("the problem", async () => {
    await clock.advance(1000);
    return rules.problems().length > 0;
  });
  const [problem] = rules.problems();
  expect(problem?.summary).toMatch(/not in force: 9:\d+: expr: 1:5: parse error/);
  expect(rules.groups()[0]?.rules).toHaveLength(3);
  await writeFile(file, "groups: []");
  await waitUntil("the new file", async () => {
    await clock.advance(1000);
    return rules.groups().length === 0;
  });
  expect(rules.problems()).toEqual([]);
  expect(written.filter((each) => each.endsWith("ends"))).toHaveLength(3);
});

it("evaluations that did not take place in time are counted", async () => {
  const { iterate, clock, metrics, world } = await setUp();
  await iterate();
  expect(await metrics.render()).not.toContain("mainstay_rules_iterations_missed_total{");
  // Each of the two rules takes 12 s of a group that is due every 10 s.
  world.pause = () => clock.sleep(12_000);
  for (let step = 0; step < 40; step++) await clock.advance(1000);
  const missed = /mainstay_rules_iterations_missed_total\{group="shop"\} (\d+)/.exec(await metrics.render());
  expect(Number(missed?.[1])).toBeGreaterThanOrEqual(2);
  world.pause = async () => {};
  for (let step = 0; step < 30; step++) await clock.advance(1000);
});
