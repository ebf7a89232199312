import { describe, expect, it } from "vitest";
import type { Labels } from "../labels.ts";
import { compileRelabelling, RELABEL_DEFAULTS, type RelabelRule } from "./relabel.ts";
import { labelsOfTarget, type TargetDraft, type TargetSettings } from "./target-labels.ts";

const SETTINGS = { jobName: "shop", scheme: "http", metricsPath: "/metrics", params: {} };

function find(draft: TargetDraft, settings: Partial<TargetSettings> = {}, ...rules: Partial<RelabelRule>[]) {
  const relabel = compileRelabelling(rules.map((rule) => ({ ...RELABEL_DEFAULTS, ...rule })));
  return labelsOfTarget(draft, { ...SETTINGS, relabel, ...settings });
}

function targetOf(...args: Parameters<typeof find>) {
  const { target } = find(...args);
  if (target === null || typeof target === "string") throw new Error(`no target: ${target}`);
  return { url: target.url, labels: record(target.labels) };
}

const record = ({ names, values }: Labels) =>
  Object.fromEntries(names.map((name, index) => [name, values[index]]));

describe("a target", () => {
  it("has its job, its address as instance, and the labels it was found with", () => {
    expect(targetOf({ address: "a:1", labels: { zone: "x", __meta_file: "f" } })).toEqual({
      url: "http://a:1/metrics",
      labels: { job: "shop", instance: "a:1", zone: "x" },
    });
  });

  it("keeps an instance and a job of its own", () => {
    const { labels } = targetOf({ address: "a:1", labels: { instance: "first", job: "other" } });
    expect(labels).toEqual({ instance: "first", job: "other" });
  });

  it("is asked with the parameters of its job, of which relabelling may set the first", () => {
    const params = { module: ["http", "tcp"], target: ["x"] };
    const rule = { targetLabel: "__param_module", replacement: "icmp" };
    expect(targetOf({ address: "a:1", labels: {} }, { params }, rule).url).toBe(
      "http://a:1/metrics?module=icmp&module=tcp&target=x",
    );
  });

  it("may be sent elsewhere by relabelling, as a prober is", () => {
    const { url, labels } = targetOf(
      { address: "https://example.com/?q=1", labels: {} },
      { metricsPath: "/probe" },
      { sourceLabels: ["__address__"], targetLabel: "__param_target" },
      { sourceLabels: ["__param_target"], targetLabel: "instance" },
      { targetLabel: "__address__", replacement: "prober:9115" },
    );
    expect(url).toBe("http://prober:9115/probe?target=https%3A%2F%2Fexample.com%2F%3Fq%3D1");
    expect(labels).toEqual({ job: "shop", instance: "https://example.com/?q=1" });
  });

  it("that relabelling leaves out is shown with what it was found with", () => {
    const found = find({ address: "a:1", labels: { __meta_x: "1" } }, {}, { action: "drop" });
    expect(found.target).toBe(null);
    expect(record(found.discovered)).toEqual({
      ...{ __address__: "a:1", __meta_x: "1", __metrics_path__: "/metrics", __scheme__: "http", job: "shop" },
    });
  });

  it.each([
    ["", "the target has no address"],
    ["http://a:1", '"http://a:1" is no host with a port'],
    ["a:port", "a:port makes no URL"],
  ])("at %o is told why it cannot be asked", (address, why) => {
    expect(find({ address, labels: {} }).target).toBe(why);
  });
});
