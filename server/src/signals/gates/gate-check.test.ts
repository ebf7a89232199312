import type { PlannedGate } from "@mainstay/rollout";
import { describe, expect, it } from "vitest";
import type { ChangeView } from "../../core/changes/index.ts";
import { createGateCheck } from "./gate-check.ts";

function changeWith(question: PlannedGate["question"]): ChangeView {
  const gate: PlannedGate = { name: "g", question, noData: "hold", forMs: 0, intervalMs: 1000 };
  const stages = [{ weight: 10_000, bakeMs: 0, gates: [gate] }];
  return {
    ...{ id: "chg_1", kind: "release", service: "shop", environment: "production" },
    ...{ candidate: "rel_2", stable: "rel_1", plan: { stages }, weight: 0, proven: 0 },
    position: { stage: -1 },
  } as unknown as ChangeView;
}
const threshold = (query: string) => changeWith({ kind: "threshold", query, min: null, max: 1 });
const comparison = (bad: string) =>
  changeWith({ kind: "comparison", bad, total: 'sum(requests_total{release="$release"})' });
const reasonsOf = async (change: ChangeView) =>
  (await createGateCheck().find(change)).map(({ message }) => message.replace(/.* cannot be asked: /, ""));

describe("before a change starts, a gate", () => {
  it.each([
    threshold('sum(rate(errors_total{service="$service", release="$candidate"}[1m]))'),
    threshold("scalar(up)"),
    comparison('sum(errors_total{arm="$arm"})'),
  ])("is fine when it can be asked", async (change) => {
    expect(await reasonsOf(change)).toEqual([]);
  });

  it.each([
    [threshold("sum(up"), /^1:\d+: parse error: .*, in: sum\(up$/],
    [threshold("up\n  + foo(3)"), /^2:5: parse error: unknown function/],
    [threshold("up[5m]"), /^it yields a range of samples, not numbers of one moment$/],
    [threshold('"up"'), /^it yields a text/],
    [threshold('up{service="$servce"}'), /^\$servce is none of the variables \$service, \$environment, /],
    [comparison("sum(errors_total)"), /^it names neither \$release nor \$arm/],
    [comparison("sum(errors_total{"), /parse error/],
  ])("is found when it cannot, with the place and the reason", async (change, expected) => {
    expect(await reasonsOf(change)).toEqual([expect.stringMatching(expected)]);
  });
});
