import type { CapacityResource } from "@mainstay/api";
import { formatDuration } from "@mainstay/api/plain";
import { Option, type Command } from "commander";
import { CliError, EXIT } from "../cli-error.ts";
import { show, type Context } from "../context.ts";
import { askPrometheus, type Question } from "../metrics/ask-prometheus.ts";
import { capacityWords } from "../metrics/capacity-words.ts";
import { checkRules } from "../metrics/check-rules.ts";
import { exportBlocks } from "../metrics/export-blocks.ts";
import { importFile } from "../metrics/import-file.ts";
import { toOpenMetrics, type RawSeries } from "../metrics/open-metrics.ts";
import { rangeChart } from "../metrics/range-chart.ts";
import { remoteWrites } from "../metrics/remote-write.ts";
import { resultWords, type ResultData } from "../metrics/result-words.ts";
import { countOption, durationOption, listOption } from "../options.ts";
import { counted } from "../output/counted.ts";
import { table } from "../output/table.ts";
import type { WithContext } from "./deploy.ts";

interface Contexts {
  withContext: WithContext;
  withOwnContext: WithContext;
}

/** `mainstay metrics …`: ask the metrics store. */
export function addMetrics(program: Command, { withContext, withOwnContext }: Contexts): void {
  const metrics = program.command("metrics").description("Ask the metrics store, in PromQL");
  addAsking(metrics, withContext);
  addLooking(metrics, withContext);
  metrics
    .command("import")
    .argument("<file>", "OpenMetrics text; every sample with its time")
    .description("Take in samples of any age")
    .addHelpText(
      "after",
      "\nWhat is there already is repeated without harm; what was kept before an error stays.\n\nExample:\n  mainstay metrics import shop.om",
    )
    .action((file: string) => withContext((context) => importFile(context, file)));
  metrics
    .command("check-rules")
    .argument("<files...>", "in the form of Prometheus' rule files")
    .description("Say what is wrong in files of rules; needs no server")
    .addHelpText(
      "after",
      "\nExit code 1 when a file is broken.\n\nExample:\n  mainstay metrics check-rules rules/*.yaml",
    )
    .action((files: string[]) => withOwnContext((context) => checkRules(context, files)));
}

function addAsking(metrics: Command, withContext: WithContext): void {
  metrics
    .command("query")
    .argument("<promql>", "an expression in PromQL")
    .option("--time <time>", "of the answer, such as 2026-01-31T12:00:00Z or 1769860800; now when left out")
    .option("--range <duration>", "draw a chart of so long before that time", durationOption)
    .option("--step <duration>", "with --range: how far its points are apart", durationOption)
    .option("--height <lines>", "with --range: of the chart; 12 when left out", countOption)
    .description("Answer a query, for one moment or as a chart")
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay metrics query 'up'\n  mainstay metrics query 'sum(rate(mainstay_proxy_requests_total[1m]))' --range 1h\n  mainstay metrics query 'up' --range 1h --step 1m --json",
    )
    .action((promql: string, options: QueryOptions) =>
      withContext((context) => query(context, promql, options)),
    );
  metrics
    .command("export")
    .argument("<selector>", "of series, such as '{job=\"node\"}'")
    .requiredOption("--range <duration>", "how much of the past", durationOption)
    .option("--time <time>", "the end of the range; now when left out")
    .addOption(
      new Option("--format <format>", "of what is written")
        .choices(["openmetrics", "prometheus-blocks"])
        .default("openmetrics"),
    )
    .option("--directory <path>", "with prometheus-blocks: where they are written; empty, or not there yet")
    .description("Write the samples of series as OpenMetrics text, or as blocks for a Prometheus")
    .addHelpText(
      "after",
      "\nOpenMetrics has every sample as it is kept, with type unknown; native histograms are left out and counted.\nBlocks have native histograms too. A Prometheus whose data directory they are put into serves them.\n\nExamples:\n  mainstay metrics export '{__name__=~\"shop_.*\"}' --range 2h > shop.om\n  mainstay metrics export '{__name__!=\"\"}' --range 15d --format prometheus-blocks --directory blocks\n  promtool tsdb analyze blocks",
    )
    .action((selector: string, options: ExportOptions) =>
      withContext((context) => exportSeries(context, selector, options)),
    );
}

function addLooking(metrics: Command, withContext: WithContext): void {
  metrics
    .command("labels")
    .argument("[name]", "a label, for its values")
    .option("--match <selector>", "only of these series (repeatable)", listOption, [])
    .description("Names of labels, or the values of one; __name__ lists the metrics")
    .addHelpText(
      "after",
      "\nExamples:\n  mainstay metrics labels\n  mainstay metrics labels __name__ --match '{job=\"node\"}'",
    )
    .action((name: string | undefined, { match }: { match: string[] }) =>
      withContext((context) => labels(context, name, match)),
    );
  metrics
    .command("top")
    .option("--limit <count>", "how many of each", countOption, 10)
    .description("The metrics and labels that make the store large, and the queries that cost the most")
    .addHelpText("after", "\nExample:\n  mainstay metrics top --limit 20")
    .action(({ limit }: { limit: number }) => withContext((context) => top(context, limit)));
  metrics
    .command("targets")
    .addOption(
      new Option("--state <state>", "only these").choices(["active", "dropped", "any"]).default("active"),
    )
    .description("What is scraped, and how that goes")
    .addHelpText("after", "\nExample:\n  mainstay metrics targets --state any")
    .action(({ state }: { state: string }) => withContext((context) => targets(context, state)));
  metrics
    .command("remote-write")
    .description("Where samples are sent on to, and how that goes")
    .addHelpText("after", "\nExample:\n  mainstay metrics remote-write --json")
    .action(() => withContext(remoteWrites));
  metrics
    .command("capacity")
    .option("--window <duration>", "the past that is continued in a straight line", "6h")
    .description("When each disk is full if it goes on like this")
    .addHelpText(
      "after",
      "\nA forecast is uncertain where samples cover less than half of the window; there is none from less than 5 minutes.\n\nExample:\n  mainstay metrics capacity --window 7d",
    )
    .action(({ window }: { window: string }) => withContext((context) => capacity(context, window)));
}

interface QueryOptions {
  time?: string;
  range?: number;
  step?: number;
  height?: number;
}

/** So many points fill the width of a terminal. */
const POINTS = 120;
const CHART_LINES = 12;

async function query(context: Context, promql: string, options: QueryOptions): Promise<void> {
  const timeMs = endOf(context, options.time);
  if (options.range === undefined && (options.step ?? options.height) !== undefined)
    throw new CliError("--step and --height are of a chart", EXIT.usage, "Give --range as well.");
  if (options.range === undefined) {
    const answer = await askPrometheus<ResultData>(context, "query", [["query", promql], at("time", timeMs)]);
    return show(context, answer, () => [resultWords(answer.data), ...notesOf(answer)].join("\n"));
  }
  const stepMs = options.step ?? Math.max(1000, Math.ceil(options.range / POINTS / 1000) * 1000);
  const question: Question = [
    ["query", promql],
    at("start", timeMs - options.range),
    at("end", timeMs),
    ["step", String(stepMs / 1000)],
  ];
  const answer = await askPrometheus<ResultData>(context, "query_range", question);
  show(context, answer, () => {
    const chart = rangeChart(context, answer.data, { stepMs, height: options.height ?? CHART_LINES });
    return [chart === "" ? "Nothing was found." : chart, ...notesOf(answer)].join("\n");
  });
}

function notesOf({ warnings, infos }: { warnings: string[]; infos: string[] }): string[] {
  return [...warnings.map((each) => `warning: ${each}`), ...infos.map((each) => `info: ${each}`)];
}

/** As the HTTP API takes times. */
const SECONDS = /^\d+(\.\d+)?$/;

function endOf(context: Context, time: string | undefined): number {
  if (time === undefined) return context.nowMs();
  const timeMs = SECONDS.test(time) ? Math.round(Number(time) * 1000) : Date.parse(time);
  if (Number.isNaN(timeMs)) {
    const remedy = "Write it as 2026-01-31T12:00:00Z, or in seconds since 1970.";
    throw new CliError(`${time} is no time`, EXIT.usage, remedy);
  }
  return timeMs;
}

function at(name: string, timeMs: number): [string, string] {
  return [name, String(timeMs / 1000)];
}

interface ExportOptions {
  range: number;
  time?: string;
  format: "openmetrics" | "prometheus-blocks";
  directory?: string;
}

async function exportSeries(context: Context, selector: string, options: ExportOptions): Promise<void> {
  const { range, time, format, directory } = options;
  if ((format === "prometheus-blocks") !== (directory !== undefined))
    throw new CliError("--format prometheus-blocks and --directory go together", EXIT.usage);
  const toMs = endOf(context, time);
  if (directory !== undefined)
    return exportBlocks(context, { selector, fromMs: toMs - range, toMs, directory });
  const promql = `${selector}[${range}ms]`;
  const question: Question = [["query", promql], at("time", toMs)];
  const { data } = await askPrometheus<ResultData>(context, "query", question);
  if (data.resultType !== "matrix") throw new CliError(`${selector} is no selector of series`, EXIT.usage);
  const series: readonly RawSeries[] = data.result;
  if (context.isJson) return context.print(JSON.stringify({ series }, null, 2));
  const { text, left } = toOpenMetrics(series);
  context.print(text.trimEnd());
  if (left > 0) process.stderr.write(`${counted(left, "sample")} of native histograms left out\n`);
}

async function labels(context: Context, name: string | undefined, match: string[]): Promise<void> {
  const path = name === undefined ? "labels" : `label/${encodeURIComponent(name)}/values`;
  const answer = await askPrometheus<string[]>(
    context,
    path,
    match.map((each) => ["match[]", each] as const),
  );
  show(context, answer.data, () =>
    answer.data.length === 0 ? "Nothing was found." : answer.data.join("\n"),
  );
}

interface TsdbStatus {
  headStats: { numSeries: number; numLabelPairs: number };
  seriesCountByMetricName: Counted[];
  labelValueCountByLabelName: Counted[];
  seriesCountByLabelValuePair: Counted[];
}

interface TopQuery {
  query: string;
  /** 0: for one moment. */
  timeRangeSeconds: number;
  count: number;
  sumDurationSeconds: number;
  maxDurationSeconds: number;
  samples: number;
}

interface Counted {
  name: string;
  value: number;
}

async function top(context: Context, limit: number): Promise<void> {
  const question: Question = [["limit", String(limit)]];
  const { data: series } = await askPrometheus<TsdbStatus>(context, "status/tsdb", question);
  const { data: queries } = await askPrometheus<TopQuery[]>(context, "status/top_queries", question);
  const part = (header: string, all: Counted[]) =>
    table(
      [header, "NAME"],
      all.map(({ name, value }) => [String(value), name]),
    );
  show(context, { ...series, queries }, () =>
    [
      `${series.headStats.numSeries} series with ${counted(series.headStats.numLabelPairs, "pair")} of labels and values`,
      part("SERIES OF A METRIC", series.seriesCountByMetricName),
      part("VALUES OF A LABEL", series.labelValueCountByLabelName),
      part("SERIES WITH A LABEL", series.seriesCountByLabelValuePair),
      topQueries(queries),
    ].join("\n\n"),
  );
}

/** Of the last day. */
function topQueries(queries: readonly TopQuery[]): string {
  if (queries.length === 0) return "No query was asked within a day.";
  const rows = queries.map((each) => [
    formatDuration(Math.ceil(each.sumDurationSeconds * 1000)),
    String(each.count),
    formatDuration(Math.ceil(each.maxDurationSeconds * 1000)),
    String(Math.round(each.samples / each.count)),
    each.timeRangeSeconds === 0 ? "–" : formatDuration(each.timeRangeSeconds * 1000),
    each.query,
  ]);
  return table(["TIME IN ALL", "ASKED", "LONGEST", "SAMPLES EACH", "RANGE", "QUERY"], rows);
}

interface TargetsData {
  activeTargets: {
    scrapePool: string;
    scrapeUrl: string;
    health: string;
    lastError: string;
    lastScrapeDuration: number;
  }[];
  droppedTargets: { scrapePool: string; discoveredLabels: Record<string, string> }[];
}

async function targets(context: Context, state: string): Promise<void> {
  const { data } = await askPrometheus<TargetsData>(context, "targets", [["state", state]]);
  show(context, data, () => {
    const active = data.activeTargets.map((each) => [
      ...[each.scrapePool, each.health, formatDuration(each.lastScrapeDuration * 1000), each.scrapeUrl],
      each.lastError,
    ]);
    const dropped = data.droppedTargets.map(({ scrapePool, discoveredLabels }) => {
      return [scrapePool, "dropped", "–", discoveredLabels["__address__"] ?? "", ""];
    });
    if (active.length + dropped.length === 0) return "Nothing is scraped.";
    return table(["JOB", "HEALTH", "TOOK", "TARGET", "ERROR"], [...active, ...dropped]);
  });
}

async function capacity(context: Context, window: string): Promise<void> {
  const found = await context.api.get<CapacityResource>(
    `/metrics/capacity?${new URLSearchParams({ window })}`,
  );
  show(context, found, () => capacityWords(found));
}
