import { describe, expect, it } from "vitest";
import { createLabels, labelValue, type Labels } from "../labels.ts";
import { isStaleAt } from "../stale.ts";
import { compileRelabelling, RELABEL_DEFAULTS, type RelabelRule } from "./relabel.ts";
import type { ScrapedBatch } from "./scraped-batch.ts";
import { createTargetSeries, type TargetRules } from "./target-series.ts";

const TARGET = createLabels([
  ["instance", "a:1"],
  ["job", "shop"],
]);
const NO_LIMITS = { labels: 0, nameLength: 0, valueLength: 0 };

function open(rules: Partial<TargetRules> = {}, ...relabelling: Partial<RelabelRule>[]) {
  const relabel = compileRelabelling(relabelling.map((rule) => ({ ...RELABEL_DEFAULTS, ...rule })));
  const series = createTargetSeries({
    ...{ target: TARGET, honorLabels: false, honorTimestamps: true, sampleLimit: 0, limits: NO_LIMITS },
    relabel,
    ...rules,
  });
  let atMs = 0;
  return {
    series,
    scrape(text: string | Error, format: "prometheus" | "openmetrics" = "prometheus") {
      atMs += 15_000;
      const answer = typeof text === "string" ? { text, format } : { error: text.message };
      return series.take({ atMs, durationMs: 250, answer });
    },
  };
}

/** `name{labels} value@time`, without what every target has. */
function show({ series, values, timestampsMs }: ScrapedBatch): string[] {
  return series.map((labels, index) => {
    const value = isStaleAt(values, index) ? "stale" : String(values[index]);
    return `${nameOf(labels)} ${value}@${(timestampsMs[index] ?? NaN) / 1000}`;
  });
}

function nameOf(labels: Labels): string {
  const others = labels.names.flatMap((name, index) =>
    name === "__name__" || TARGET.names.includes(name) ? [] : [`${name}=${labels.values[index]}`],
  );
  return `${labelValue(labels, "__name__")}${others.length > 0 ? `{${others.join()}}` : ""}`;
}

const ofTarget = (batch: ScrapedBatch) => show(batch).filter((line) => !/^(up|scrape_)/.test(line));
const ofScrape = (batch: ScrapedBatch) => show(batch).filter((line) => /^(up|scrape_)/.test(line));

describe("a scrape", () => {
  it("gives the samples with the labels of the target, and tells how it went", () => {
    const { batch, error } = open().scrape('a 1\nb{x="y"} 2\n');
    expect(error).toBe(null);
    expect(show(batch)).toEqual([
      ...["a 1@15", "b{x=y} 2@15", "up 1@15", "scrape_duration_seconds 0.25@15"],
      ...[
        "scrape_samples_scraped 2@15",
        "scrape_samples_post_metric_relabeling 2@15",
        "scrape_series_added 2@15",
      ],
    ]);
    for (const labels of batch.series) expect(labelValue(labels, "job")).toBe("shop");
  });

  it("counts a series as added once", () => {
    const target = open();
    target.scrape("a 1\n");
    expect(ofScrape(target.scrape("a 1\nb 1\n").batch)).toContain("scrape_series_added 1@30");
    expect(ofScrape(target.scrape("a 1\nb 1\n").batch)).toContain("scrape_series_added 0@45");
  });

  it("reads OpenMetrics with exemplars, whose end must be there", () => {
    const target = open();
    const text = '# TYPE a counter\n# UNIT a s\na_total 1 1.5 # {trace_id="t"} 0.5\n# EOF\n';
    const { batch } = target.scrape(text, "openmetrics");
    expect(ofTarget(batch)).toEqual(["a_total 1@1.5"]);
    expect(batch.exemplars).toMatchObject([{ labels: { values: ["t"] }, value: 0.5, timestampMs: 1500 }]);
    expect(batch.metadata).toEqual([{ metric: "a", type: "counter", help: "", unit: "s" }]);
    expect(target.scrape("a_total 1\n", "openmetrics").error).toMatch(/cut off/);
  });

  it("tells an exemplar again only when it changes, where it has no time of its own", () => {
    const target = open();
    const scrape = (exemplar: string, end = "# EOF\n") => {
      const { batch } = target.scrape(`# TYPE a counter\na_total 1 # ${exemplar}\n${end}`, "openmetrics");
      return batch.exemplars.map(({ timestampMs, value }) => [timestampMs / 1000, value]);
    };
    expect(scrape('{trace_id="t"} 0.5')).toEqual([[15, 0.5]]);
    expect(scrape('{trace_id="t"} 0.5')).toEqual([]);
    expect(scrape('{trace_id="t"} 0.6')).toEqual([[45, 0.6]]);
    expect(scrape('{trace_id="u"} 0.6')).toEqual([[60, 0.6]]);
    expect(scrape('{trace_id="u"} 0.6 2')).toEqual([[2, 0.6]]);
    expect(scrape('{trace_id="u"} 0.6 2')).toEqual([]);
    expect(scrape('{trace_id="v"} 0.6', "cut off")).toEqual([]);
    expect(scrape('{trace_id="v"} 0.6')).toEqual([[120, 0.6]]);
  });

  it("tells type and help again only when they change", () => {
    const target = open();
    expect(target.scrape("# TYPE a gauge\na 1\n").batch.metadata).toHaveLength(1);
    expect(target.scrape("# TYPE a gauge\na 1\n").batch.metadata).toEqual([]);
    expect(target.scrape("# TYPE a counter\na 1\n").batch.metadata).toMatchObject([{ type: "counter" }]);
  });

  it("takes times from the text unless told not to", () => {
    expect(ofTarget(open().scrape("a 1 7000\n").batch)).toEqual(["a 1@7"]);
    expect(ofTarget(open({ honorTimestamps: false }).scrape("a 1 7000\n").batch)).toEqual(["a 1@15"]);
  });
});

describe("labels that both have", () => {
  it("are the target's, and the sample's move aside", () => {
    const { batch } = open().scrape('a{job="own",exported_job="x"} 1\nb{instance=""} 1\n');
    expect(ofTarget(batch)).toEqual(["a{exported_exported_job=own,exported_job=x} 1@15", "b 1@15"]);
  });

  it("are the sample's where they are honoured", () => {
    const { batch } = open({ honorLabels: true }).scrape('a{job="own"} 1\n');
    expect(labelValue(batch.series[0] ?? TARGET, "job")).toBe("own");
    expect(labelValue(batch.series[0] ?? TARGET, "instance")).toBe("a:1");
  });
});

describe("relabelling of metrics", () => {
  it("leaves samples out, and counts what is left", () => {
    const target = open({}, { action: "drop", sourceLabels: ["__name__"], regex: "go_.*" });
    const { batch } = target.scrape("go_a 1\nb 1\n");
    expect(ofTarget(batch)).toEqual(["b 1@15"]);
    expect(ofScrape(batch)).toEqual(
      expect.arrayContaining(["scrape_samples_scraped 2@15", "scrape_samples_post_metric_relabeling 1@15"]),
    );
    expect(ofTarget(target.scrape("b 1\n").batch)).toEqual(["b 1@30"]);
  });

  it("does not reach what is told of the scrape itself", () => {
    expect(ofScrape(open({}, { action: "drop" }).scrape("a 1\n").batch)).toHaveLength(5);
  });

  it("that takes the name away fails the scrape", () => {
    const { error } = open({}, { action: "labeldrop", regex: "__name__" }).scrape("a 1\n");
    expect(error).toBe("a: relabelling left no name of the metric");
  });
});

describe("what ends", () => {
  it("is marked when it is missing from an answer", () => {
    const target = open();
    target.scrape("a 1\nb 1\n");
    expect(ofTarget(target.scrape("a 2\n").batch)).toEqual(["a 2@30", "b stale@30"]);
    expect(ofTarget(target.scrape("a 3\n").batch)).toEqual(["a 3@45"]);
    expect(ofTarget(target.scrape("a 4\nb 2\n").batch)).toEqual(["a 4@60", "b 2@60"]);
    expect(ofTarget(target.scrape("a 4\n").batch)).toEqual(["a 4@75", "b stale@75"]);
  });

  it("is everything when there is no answer, once", () => {
    const target = open();
    target.scrape("a 1\n");
    const { batch, error } = target.scrape(new Error("connection refused"));
    expect(error).toBe("connection refused");
    expect(show(batch)).toEqual([
      ...["up 0@30", "scrape_duration_seconds 0.25@30", "scrape_samples_scraped 0@30"],
      ...["scrape_samples_post_metric_relabeling 0@30", "scrape_series_added 0@30", "a stale@30"],
    ]);
    expect(ofTarget(target.scrape(new Error("again")).batch)).toEqual([]);
  });

  it("is everything when the answer breaks off in the middle, of which nothing is kept", () => {
    const target = open();
    target.scrape("a 1\nb 1\n");
    const { batch, error } = target.scrape("a 2\nb x\n");
    expect(error).toBe('line 2: "x" is no value');
    expect(ofTarget(batch)).toEqual(["a stale@30", "b stale@30"]);
    expect(ofScrape(batch)).toContain("up 0@30");
    expect(ofTarget(target.scrape("a 3\n").batch)).toEqual(["a 3@45"]);
  });

  it("is not marked for samples that bring a time of their own", () => {
    const target = open();
    target.scrape("a 1 7000\nb 1\n");
    expect(ofTarget(target.scrape("b 1\n").batch)).toEqual(["b 1@30"]);
  });

  it("is not what is merely written in another way", () => {
    const target = open();
    target.scrape('a{x="1",y="2"} 1\n');
    expect(ofTarget(target.scrape('a{y="2",x="1"} 2\n').batch)).toEqual(["a{x=1,y=2} 2@30"]);
  });

  it("is everything with the target, what is told of its scrapes as well", () => {
    const target = open();
    target.scrape("a 1\n");
    const marks = show(target.series.end(40_000));
    expect(marks).toEqual(
      expect.arrayContaining(["a stale@40", "up stale@40", "scrape_series_added stale@40"]),
    );
    expect(marks).toHaveLength(6);
  });
});

describe("a limit", () => {
  it.each<[Partial<TargetRules>, string]>([
    [{ sampleLimit: 1 }, "more samples than sample_limit, 1"],
    [{ limits: { ...NO_LIMITS, labels: 3 } }, "a has 4 labels, label_limit is 3"],
    [
      { limits: { ...NO_LIMITS, nameLength: 8 } },
      "a: the name of the label long_name has 9 characters, label_name_length_limit is 8",
    ],
    [
      { limits: { ...NO_LIMITS, valueLength: 10 } },
      "a: the value of long_name has 11 characters, label_value_length_limit is 10",
    ],
  ])("%o refuses the whole scrape", (rules, message) => {
    const { batch, error } = open(rules).scrape('a{long_name="long value!"} 1\nb 1\n');
    expect(error).toBe(message);
    expect(ofTarget(batch)).toEqual([]);
    expect(ofScrape(batch)).toContain("up 0@15");
  });

  it("of samples counts what relabelling leaves", () => {
    const target = open({ sampleLimit: 1 }, { action: "drop", sourceLabels: ["__name__"], regex: "b" });
    expect(target.scrape("a 1\nb 1\n").error).toBe(null);
  });
});
