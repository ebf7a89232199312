import { describe, expect, it } from "vitest";
import { createLabels, NO_LABELS } from "../labels.ts";
import { readRuleFile } from "./read-rule-file.ts";
import { recordedSamples } from "./record.ts";
import type { RecordingRule } from "./rule-file.ts";

const FILE = `groups:
  - name: shop
    interval: 30s
    query_offset: 1m
    limit: 10
    labels: { team: web }
    rules:
      - record: job:requests:rate5m
        expr: sum by (job) (rate(requests_total[5m]))
        labels: { tier: "1", team: shop }
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 1h
        annotations: { summary: "{{ $labels.job }} is down" }
  - name: plain
    rules:
      - { record: one, expr: 1 }
`;

describe("a rule file", () => {
  it("is read as Prometheus reads it", () => {
    const { file, problems } = readRuleFile(FILE);
    expect(problems).toEqual([]);
    expect(file.groups[0]).toMatchObject({
      name: "shop",
      intervalMs: 30_000,
      queryOffsetMs: 60_000,
      limit: 10,
    });
    expect(file.groups[0]?.rules).toEqual([
      {
        ...{ kind: "recording", name: "job:requests:rate5m", line: 8 },
        query: "sum by (job) (rate(requests_total[5m]))",
        labels: { team: "shop", tier: "1" },
      },
      {
        ...{ kind: "alerting", name: "Down", line: 11, query: "up == 0", labels: { team: "web" } },
        ...{ forMs: 300_000, keepFiringMs: 3_600_000, annotations: { summary: "{{ $labels.job }} is down" } },
      },
    ]);
    expect(file.groups[1]).toMatchObject({
      intervalMs: null,
      limit: 0,
      rules: [{ name: "one", query: "1" }],
    });
    expect(readRuleFile("").problems).toEqual([]);
  });

  it.each([
    ["groups: [", 1, /./],
    ["groupes: []", 1, /unknown key groupes; expected groups/],
    ["groups:\n  - rules: []", 2, /needs a name/],
    ["groups:\n  - name: a\n  - name: a", 3, /a is there twice/],
    ["groups:\n  - name: a\n    interval: often", 3, /interval: expected a duration/],
    ["groups:\n  - name: a\n    limit: -1", 3, /limit: expected a whole number/],
    ["groups:\n  - name: a\n    rules:\n      - expr: up", 4, /either record or alert/],
    [
      "groups:\n  - name: a\n    rules:\n      - record: x\n        expr: sum(up",
      5,
      /expr: 1:7: parse error/,
    ],
    ["groups:\n  - name: a\n    rules:\n      - record: x\n        expr: up[5m]", 5, /yields a matrix/],
    ["groups:\n  - name: a\n    rules:\n      - record: x", 4, /needs an expr/],
    ["groups:\n  - name: a\n    rules:\n      - { record: 'x{y}', expr: up }", 4, /is no name of a metric/],
    [
      "groups:\n  - name: a\n    rules:\n      - { record: x, expr: up, for: 5m }",
      4,
      /for belongs to alerts/,
    ],
    [
      "groups:\n  - name: a\n    rules:\n      - { record: x, expr: up, labels: { __name__: y } }",
      4,
      /no name of a label/,
    ],
  ])("is refused with the place of what is wrong: %j", (text, line, message) => {
    const [problem] = readRuleFile(text).problems;
    expect(problem).toMatchObject({ line, message: expect.stringMatching(message) });
    expect(problem?.column).toBeGreaterThan(0);
  });
});

describe("what is recorded", () => {
  const rule: RecordingRule = {
    kind: "recording",
    name: "r",
    query: "",
    labels: { job: "", team: "web" },
    line: 1,
  };
  const sample = (...pairs: [string, string][]) => ({ labels: createLabels(pairs), value: 1 });
  const vector = (...samples: ReturnType<typeof sample>[]) => ({
    type: "vector" as const,
    timeMs: 0,
    samples,
  });

  it("has the rule's name and labels; one that is empty takes the answer's away", () => {
    const answer = vector(sample(["__name__", "up"], ["job", "a"], ["zone", "b"], ["team", "x"]));
    expect(recordedSamples(rule, answer, 0)).toEqual([
      {
        labels: createLabels([
          ["__name__", "r"],
          ["zone", "b"],
          ["team", "web"],
        ]),
        value: 1,
      },
    ]);
    expect(recordedSamples({ ...rule, labels: {} }, { type: "scalar", timeMs: 0, value: 3 }, 0)).toEqual([
      {
        labels: createLabels([...NO_LABELS.names.map(() => ["", ""] as const), ["__name__", "r"]]),
        value: 3,
      },
    ]);
  });

  it("is refused when series become the same, or are more than the limit", () => {
    const twice = vector(sample(["job", "a"]), sample(["job", "b"]));
    expect(() => recordedSamples(rule, twice, 0)).toThrow("two series that are the same");
    expect(() => recordedSamples({ ...rule, labels: {} }, twice, 1)).toThrow(
      "it yields 2 series, and the limit",
    );
  });
});
