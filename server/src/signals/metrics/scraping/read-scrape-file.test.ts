import { AppError } from "@mainstay/api";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readScrapeFile } from "./read-scrape-file.ts";

const read = (text: string) => readScrapeFile(text, "/etc/shop/scrape.yml");
const readJob = (text: string) => read(`scrape_configs:\n- job_name: shop\n${text}`)[0];

function findings(text: string): Record<string, string> {
  try {
    read(text);
  } catch (error) {
    if (error instanceof AppError)
      return Object.fromEntries(error.errors.map((each) => [each.path, each.message]));
    throw error;
  }
  return {};
}
const findingsOfJob = (text: string) => {
  const found = findings(`scrape_configs:\n- job_name: shop\n${text}`);
  return Object.fromEntries(
    Object.entries(found).map(([path, message]) => [path.replace("scrape_configs.0.", ""), message]),
  );
};

describe("a file of scrapes", () => {
  it("is Prometheus' own, with its defaults", () => {
    expect(read("scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['a:1'] }] }]")).toEqual([
      {
        ...{ name: "shop", intervalMs: 60_000, timeoutMs: 10_000, scheme: "http", metricsPath: "/metrics" },
        ...{
          params: {},
          honorLabels: false,
          honorTimestamps: true,
          relabelRules: [],
          metricRelabelRules: [],
        },
        followRedirects: true,
        access: {
          ...{ headers: [], basic: null, token: null },
          tls: { ca: null, cert: null, key: null, serverName: null, isUnchecked: false },
        },
        limits: {
          ...{ bodyBytes: 32 * 1024 ** 2, samples: 0, targets: 0 },
          label: { labels: 0, nameLength: 0, valueLength: 0 },
        },
        ...{ groups: [{ targets: ["a:1"], labels: {} }], files: [], dns: [] },
      },
    ]);
  });

  it("may hold nothing", () => {
    expect(read("")).toEqual([]);
  });

  it("says how often and how long, for all and for each", () => {
    const [first, second] = read(
      `global: { scrape_interval: 1m30s, scrape_timeout: 20s }
scrape_configs:
- { job_name: a }
- { job_name: b, scrape_interval: 500ms, sample_limit: 7, body_size_limit: 1MB }`,
    );
    expect(first).toMatchObject({ intervalMs: 90_000, timeoutMs: 20_000 });
    expect(second).toMatchObject({
      intervalMs: 500,
      timeoutMs: 500,
      limits: { samples: 7, bodyBytes: 1024 ** 2 },
    });
  });

  it("has paths relative to itself", () => {
    const job = readJob(
      `  tls_config: { ca_file: ca.pem, cert_file: /c.pem, key_file: ../k.pem }
  authorization: { credentials_file: token }
  file_sd_configs: [{ files: ["targets/*.json", /x.yml] }]`,
    );
    expect(job?.access.tls).toMatchObject({ ca: { file: "/etc/shop/ca.pem" }, key: { file: "/etc/k.pem" } });
    expect(job?.access.token).toEqual({ type: "Bearer", credentials: { file: "/etc/shop/token" } });
    expect(job?.files).toEqual([{ patterns: ["/etc/shop/targets/*.json", "/x.yml"], refreshMs: 300_000 }]);
  });

  it("has rules of relabelling, whose actions are written in any case", () => {
    const job = readJob(
      `  relabel_configs:
  - { source_labels: [__address__], regex: "(.*):.*", target_label: host }
  - { action: HashMod, source_labels: [host], modulus: 4, target_label: __tmp }
  - { action: keep, source_labels: [__tmp], regex: 0 }`,
    );
    expect(job?.relabelRules).toMatchObject([
      { action: "replace", sourceLabels: ["__address__"], separator: ";", replacement: "$1" },
      { action: "hashmod", modulus: 4 },
      { action: "keep", regex: "0" },
    ]);
  });

  it("finds targets by DNS, with a port where the records hold none", () => {
    const job = readJob(
      "  dns_sd_configs: [{ names: [a.example] }, { names: [b.example], type: a, port: 80 }]",
    );
    expect(job?.dns).toEqual([
      { names: ["a.example"], type: "SRV", port: null, refreshMs: 30_000 },
      { names: ["b.example"], type: "A", port: 80, refreshMs: 30_000 },
    ]);
  });
});

describe("a file that is wrong", () => {
  it("is told every place, and what was probably meant", () => {
    expect(findings("scrape_configs: [{ job_nam: a, static_config: [] }]\nrule_files: []")).toEqual({
      "scrape_configs.0.job_name": "is missing: expected text",
      "scrape_configs.0.job_nam": 'unknown key; did you mean "job_name"?',
      "scrape_configs.0.static_config": 'unknown key; did you mean "static_configs"?',
      rule_files: "unknown key; expected global or scrape_configs",
    });
  });

  it("names what is supported in place of what is not", () => {
    expect(findingsOfJob("  kubernetes_sd_configs: []")["kubernetes_sd_configs"]).toMatch(
      /^unknown key; (did you mean|expected job_name, scrape_interval, .*static_configs)/,
    );
  });

  it.each([
    ["  scrape_interval: 15", "scrape_interval", 'expected a duration such as "15s", "500ms" or "1m30s"'],
    ["  scrape_interval: 1ms", "scrape_interval", "expected at least 100ms"],
    [
      "  scrape_interval: 5s\n  scrape_timeout: 6s",
      "scrape_timeout",
      "expected no more than scrape_interval",
    ],
    ["  body_size_limit: 5 apples", "body_size_limit", 'expected a size such as "10MB", or 0 for no limit'],
    ["  relabel_configs: [{ action: keep, regex: '(' }]", "relabel_configs.0", /is no regular expression/],
    ["  relabel_configs: [{ action: replace }]", "relabel_configs.0", "replace needs a target_label"],
    [
      "  metric_relabel_configs: [{ action: eat }]",
      "metric_relabel_configs.0.action",
      /^expected "replace", "keep"/,
    ],
    ["  authorization: { type: Basic, credentials: x }", "authorization.type", /basic_auth/],
    ["  authorization: {}", "authorization", "expected either credentials or credentials_file"],
    ["  tls_config: { cert_file: x }", "tls_config", "expected a certificate and its key, or neither"],
    ["  dns_sd_configs: [{ names: [a], type: A }]", "dns_sd_configs.0.port", /^expected a port/],
    [
      "  file_sd_configs: [{ files: ['*/x.txt'] }]",
      "file_sd_configs.0.files.0",
      /^expected .json, .yml or .yaml/,
    ],
    [
      "  basic_auth: { username: a }\n  authorization: { credentials: x }",
      "scrape_configs.0",
      "expected basic_auth or authorization, not both",
    ],
  ])("%s", (text, place, message) => {
    expect(findingsOfJob(text)).toEqual({ [place]: expect.stringMatching(message) });
  });

  it("may not name two jobs alike", () => {
    expect(findings("scrape_configs: [{ job_name: a }, { job_name: a }]")).toEqual({
      "scrape_configs.1.job_name": "expected another name: a job has it already",
    });
  });

  it("never shows what is secret", () => {
    const text = "  authorization: { credentials: [hunter2] }\n  basic_auth: { password: { a: hunter2 } }";
    expect(JSON.stringify(findingsOfJob(text))).not.toContain("hunter2");
  });

  it("is an error of ours, whatever it holds", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          read(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
      { numRuns: 300 },
    );
  });
});
