import { setTimeout as delay } from "node:timers/promises";
import type { Context } from "../context.ts";
import { askPrometheus } from "../metrics/ask-prometheus.ts";
import { rangeChart } from "../metrics/range-chart.ts";
import type { ResultData } from "../metrics/result-words.ts";
import type { ActResult } from "./scenario.ts";

/** What the metrics store knows of the demo, asked in PromQL once it is over. */
export interface DemoMetrics {
  /** Requests that the proxy counted. */
  requests: number;
  arms: ArmCounts[];
  /** Open files of each release, over the whole run. */
  openFiles: ResultData;
}

/** What both sides of a change did while they were compared. */
export interface ArmCounts {
  change: string;
  arm: string;
  requests: number;
  errors: number;
}

/** The proxy's counters are kept every second, once more after the load has ended. */
const PATIENCE_MS = 10_000;
const LOOK_MS = 500;
const STEP_MS = 2000;

/** Asks what was measured; waits until the store has as many requests as clients sent. */
export async function askMetrics(
  context: Context,
  run: { startedAtMs: number; sent: number },
): Promise<DemoMetrics> {
  let requests = 0;
  for (let waitedMs = 0; requests < run.sent && waitedMs < PATIENCE_MS; waitedMs += LOOK_MS) {
    if (waitedMs > 0) await delay(LOOK_MS);
    const [total] = await vector(context, `sum(${last("mainstay_proxy_requests_total", run, context)})`);
    requests = total?.value ?? 0;
  }
  return { requests, arms: await countsOfArms(context, run), openFiles: await askOpenFiles(context, run) };
}

async function countsOfArms(context: Context, run: { startedAtMs: number }): Promise<ArmCounts[]> {
  const counts = (metric: string) => vector(context, `sum by (change, arm) (${last(metric, run, context)})`);
  const errors = await counts("mainstay_change_errors_total");
  return (await counts("mainstay_change_requests_total")).map(({ metric, value }) => {
    const { change = "", arm = "" } = metric;
    const ofArm = errors.find((each) => each.metric["change"] === change && each.metric["arm"] === arm);
    return { change, arm, requests: value, errors: ofArm?.value ?? 0 };
  });
}

async function askOpenFiles(context: Context, { startedAtMs }: { startedAtMs: number }): Promise<ResultData> {
  const { data } = await askPrometheus<ResultData>(context, "query_range", [
    ["query", 'max by (release) (mainstay_instance_open_files{service="registry"})'],
    ["start", String(startedAtMs / 1000)],
    ["end", String(context.nowMs() / 1000)],
    ["step", String(STEP_MS / 1000)],
  ]);
  return data;
}

/** A counter at its end, whether or not its series is still there. */
function last(metric: string, run: { startedAtMs: number }, context: Context): string {
  const seconds = Math.ceil((context.nowMs() - run.startedAtMs) / 1000);
  return `last_over_time(${metric}{service="registry"}[${seconds}s])`;
}

async function vector(context: Context, query: string) {
  const { data } = await askPrometheus<ResultData>(context, "query", [["query", query]]);
  if (data.resultType !== "vector") return [];
  return data.result.map(({ metric, value }) => ({ metric, value: Number(value?.[1] ?? NaN) }));
}

/** What is wrong with it: everything that was counted elsewhere must be found here. */
export function metricsFaults(metrics: DemoMetrics, acts: readonly ActResult[], sent: number): string[] {
  const compared = new Set(metrics.arms.filter(({ requests }) => requests > 0).map(({ change }) => change));
  const missing = acts.slice(1).filter(({ change }) => !compared.has(change));
  return [
    ...(metrics.requests < sent ? [`the metrics store counts ${metrics.requests} of ${sent} requests`] : []),
    ...missing.map(({ title }) => `the metrics store knows nothing of ${title}`),
  ];
}

/** A curve of the run, as anybody can ask for it. */
export function metricsWords(context: Context, { requests, openFiles }: DemoMetrics): string {
  const releases = openFiles.resultType === "matrix" ? openFiles.result.length : 0;
  return [
    `The metrics store: ${requests} requests counted. Open files of the ${releases} releases, by PromQL:`,
    rangeChart(context, openFiles, { stepMs: STEP_MS, height: 8, label: ({ release = "" }) => release }),
  ].join("\n");
}
