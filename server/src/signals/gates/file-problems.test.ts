import { expect, it } from "vitest";
import { findQueryProblems } from "./file-problems.ts";

it("what is no PromQL is found at its place, whatever else is wrong in the file", async () => {
  const fine = 'sum(errors_total{service="$service", release="$release"})';
  const gates = [
    { query: "sum(up", maxx: 1 },
    { nam: "fine", query: 'up{release="$candidate"}' },
    { compare: { bad: fine, total: "sum(requests_total)" } },
    { query: 7 },
    "no gate",
    { query: " " },
  ];
  const stages = [{ weight: "a lot", gates: [{ query: "up[5m]" }] }, null, { gates: "none" }];
  expect(await findQueryProblems({ servce: "shop", rollout: { gates, stages } })).toEqual([
    { path: "rollout.gates.0.query", message: expect.stringContaining("parse error") },
    { path: "rollout.gates.2.compare.total", message: expect.stringContaining("neither $release nor $arm") },
    { path: "rollout.stages.0.gates.0.query", message: expect.stringContaining("range of samples") },
  ]);
});

it.each([[null], ["text"], [{}], [{ rollout: 1 }], [{ rollout: { gates: {}, stages: 1 } }]])(
  "a file without gates has no such problem: %j",
  async (data) => expect(await findQueryProblems(data)).toEqual([]),
);
