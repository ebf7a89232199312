import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeRemoteWrite1, type OutgoingSeries } from "@mainstay/metrics/wire";
import { compressSync } from "snappy";
import { startProduct } from "../../tests/support/product.ts";
import { startPrometheus } from "../../tests/support/prometheus.ts";
import type { CaseResult, Suite } from "../suite.ts";
import { difference, readAnswer, type Answer } from "./compare.ts";
import { demoSeries, SCRAPE_MS } from "./demo-series.ts";
import { readQueries, type ComplianceQuery } from "./queries.ts";

const MINUTE_MS = 60_000;
/** The longest range and the longest offset before the first step. */
const HISTORY_MS = 100 * MINUTE_MS;
const RANGE_MS = 10 * MINUTE_MS;
const STEP_MS = 10_000;
/**
 * No step of a query or a subquery, and no begin of a range, falls on a sample: there Prometheus 2 and 3
 * differ, for a range that was closed at its begin is open since 3.0.
 */
const SCRAPED_AT_MS = 777;
const ASKED_AT_MS = 457;
const SAMPLES_PER_REQUEST = 2_000;
/**
 * Refused by Prometheus 2: since 3.0 every UTF-8 text is
 * the name of a label. These are answered, as 3.0 does.
 */
const VALID_SINCE_3 = [
  'label_replace(demo_num_cpus, "~invalid", "", "src", "(.*)")',
  'label_join(demo_num_cpus, "~invalid", "-", "instance")',
];

interface Target {
  url: string;
  headers: Record<string, string>;
}

/** Both get the same samples by remote-write and are asked the same ranges over their HTTP APIs. */
export const suite: Suite = {
  about: "PromLabs' compliance queries: a running Mainstay against Debian's Prometheus",
  data: "promql-compliance",
  debianPackages: ["prometheus"],
  async run({ dataFolder }) {
    const queries = await readQueries(join(dataFolder, "promql-test-queries.yml"));
    const folder = await mkdtemp(join(tmpdir(), "promql-compliance-"));
    const stops = [() => rm(folder, { recursive: true, force: true })];
    try {
      const prometheus = await startPrometheus(folder);
      stops.push(prometheus.stop);
      const product = await startProduct();
      stops.push(product.stop);
      const authorization = `Bearer ${product.access().MAINSTAY_TOKEN}`;
      const reference: Target = { url: prometheus.url, headers: {} };
      const own: Target = { url: `${product.url}/prometheus`, headers: { authorization } };
      const endMs = await feed([reference, own]);
      const results: CaseResult[] = [];
      for (const query of queries) results.push(await compare(query, { reference, own, endMs }));
      return results;
    } finally {
      for (const stop of stops.toReversed()) await stop();
    }
  },
};

/** Answers the moment of the last scrape. */
async function feed(targets: Target[]): Promise<number> {
  const scrapes = HISTORY_MS / SCRAPE_MS;
  const lastMs = (Math.floor(Date.now() / SCRAPE_MS) - 1) * SCRAPE_MS + SCRAPED_AT_MS;
  const series = demoSeries({ startMs: lastMs - (scrapes - 1) * SCRAPE_MS, scrapes });
  for (const batch of inOrderOfTime(series, scrapes)) {
    const body = new Uint8Array(compressSync(Buffer.from(encodeRemoteWrite1(batch))));
    for (const { url, headers } of targets) await write(`${url}/api/v1/write`, headers, body);
  }
  return lastMs;
}

async function write(url: string, headers: Record<string, string>, body: Uint8Array<ArrayBuffer>) {
  const own = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
  };
  const answer = await fetch(url, { method: "POST", headers: { ...own, ...headers }, body });
  if (answer.status >= 300) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}

/** As a sender that follows scrapes: some rounds of all series at a time. */
function inOrderOfTime(series: OutgoingSeries[], scrapes: number): OutgoingSeries[][] {
  const rounds = Math.max(1, Math.floor(SAMPLES_PER_REQUEST / series.length));
  const startMs = Math.min(...series.map((each) => each.timestampsMs[0] ?? Infinity));
  return Array.from({ length: Math.ceil(scrapes / rounds) }, (_, nth) => {
    const fromMs = startMs + nth * rounds * SCRAPE_MS;
    return series.flatMap((each) => cut(each, fromMs, fromMs + rounds * SCRAPE_MS));
  });
}

function cut({ labels, timestampsMs, values }: OutgoingSeries, fromMs: number, toMs: number) {
  const times = Array.from(timestampsMs);
  const from = times.findIndex((each) => each >= fromMs);
  if (from === -1) return [];
  const end = times.findIndex((each) => each >= toMs);
  const to = end === -1 ? times.length : end;
  return to === from
    ? []
    : [{ labels, timestampsMs: times.slice(from, to), values: values.subarray(from, to) }];
}

interface Asked {
  reference: Target;
  own: Target;
  endMs: number;
}

async function compare({ query, mustFail }: ComplianceQuery, { reference, own, endMs }: Asked) {
  const name = query;
  const [expected, actual] = await Promise.all([ask(reference, query, endMs), ask(own, query, endMs)]);
  if (VALID_SINCE_3.includes(query)) {
    return { name, failure: actual.status === "success" ? null : `failed: ${actual.error}` };
  }
  if (mustFail !== (expected.status === "error"))
    return { name, failure: "Prometheus did not do as the suite says" };
  return { name, failure: difference(expected, actual) };
}

async function ask({ url, headers }: Target, query: string, lastMs: number): Promise<Answer> {
  const endMs = lastMs - STEP_MS + ASKED_AT_MS;
  const body = new URLSearchParams({
    query,
    start: String((endMs - RANGE_MS) / 1000),
    end: String(endMs / 1000),
    step: String(STEP_MS / 1000),
  });
  const answer = await fetch(`${url}/api/v1/query_range`, { method: "POST", headers, body });
  return readAnswer(await answer.json());
}
