import {
  MAX_STEPS,
  parseQuery,
  ParseError,
  prettifyQuery,
  queryInstant,
  queryRange,
  queryToJson,
  selectorsOf,
  type Expr,
  type QueryResult,
  type QuerySettings,
  type ResultValue,
} from "@mainstay/metrics";
import { ApiError, invalidParameter } from "../../api-error.ts";
import { EVER_MS, readDurationMs, readLimit, readTimeMs, type Parameters } from "../../parameters.ts";
import { runQuery } from "../run-query.ts";
import { CUT, type Answered, type Call } from "./call.ts";
import { labelsJson, timeJson, valueText } from "./json.ts";
import { resultJson } from "./result-json.ts";

/** `query`: at one moment. */
export async function answerQuery(call: Call): Promise<Answered> {
  const { parameters, clock } = call;
  const limit = readLimit(parameters);
  const timeMs = readTimeMs(parameters, "time", clock.now().getTime());
  const run = (query: string, settings: QuerySettings) => queryInstant(query, timeMs, settings);
  return evaluate(call, { limit, timeMs, rangeMs: 0, run });
}

/** `query_range`: for each step between two moments. */
export async function answerQueryRange(call: Call): Promise<Answered> {
  const { parameters } = call;
  const limit = readLimit(parameters);
  const startMs = readTimeMs(parameters, "start", NaN);
  const endMs = readTimeMs(parameters, "end", NaN);
  if (Number.isNaN(startMs)) throw invalidParameter("start", `cannot parse "" to a valid timestamp`);
  if (Number.isNaN(endMs)) throw invalidParameter("end", `cannot parse "" to a valid timestamp`);
  if (endMs < startMs) throw invalidParameter("end", "end timestamp must not be before start time");
  const stepMs = readDurationMs(parameters, "step");
  if (stepMs === null) throw invalidParameter("step", `cannot parse "" to a valid duration`);
  if (stepMs <= 0) {
    const message = "zero or negative query resolution step widths are not accepted. Try a positive integer";
    throw invalidParameter("step", message);
  }
  if (Math.floor((endMs - startMs) / stepMs) > MAX_STEPS) {
    const message = `exceeded maximum resolution of ${MAX_STEPS.toLocaleString("en")} points per timeseries. Try decreasing the query resolution (?step=XX)`;
    throw new ApiError("bad_data", message);
  }
  const range = { startMs, endMs, stepMs };
  return evaluate(call, {
    ...{ limit, timeMs: endMs, rangeMs: endMs - startMs },
    run: (query, settings) => queryRange(query, range, settings),
  });
}

interface Evaluation {
  limit: number;
  timeMs: number;
  rangeMs: number;
  run(query: string, settings: QuerySettings): Promise<QueryResult>;
}

async function evaluate(call: Call, { limit, timeMs, rangeMs, run }: Evaluation): Promise<Answered> {
  const { parameters } = call;
  const timeoutMs = readDurationMs(parameters, "timeout") ?? Infinity;
  const wantedMs = readDurationMs(parameters, "lookback_delta") ?? 0;
  // What is not positive stands for the usual one.
  const lookbackMs = wantedMs > 0 ? wantedMs : undefined;
  const query = parameters.text("query");
  const asked = {
    ...{ query, rangeMs, timeoutMs, lookbackMs },
    run: (settings: QuerySettings) => run(query, settings),
  };
  const ended = await runQuery(call, asked).catch((error: unknown) => {
    throw error instanceof ParseError ? invalidParameter("query", error.message) : error;
  });
  const [shown, isCut] = cut(ended.value, limit);
  const isAsked = parameters.text("stats") !== "";
  const statistics = isAsked ? statisticsJson(ended.durationMs / 1000, ended.samples) : null;
  const data = resultJson(shown, { timeMs, statistics });
  const { infos, warnings } = ended;
  return { data, infos, warnings: isCut ? [...warnings, CUT] : warnings };
}

/**
 * Evaluation is one piece here, without a queue: the parts that Prometheus times apart
 * take nothing. Samples are those that were read, and what is read is held to the end.
 */
function statisticsJson(seconds: number, samples: number): string {
  return JSON.stringify({
    timings: {
      ...{ evalTotalTime: seconds, resultSortTime: 0, queryPreparationTime: 0, innerEvalTime: seconds },
      ...{ execQueueTime: 0, execTotalTime: seconds },
    },
    samples: { totalQueryableSamples: samples, samplesRead: samples, peakSamples: samples },
  });
}

function cut(value: ResultValue, limit: number): [ResultValue, boolean] {
  if (value.type === "vector" && value.samples.length > limit)
    return [{ ...value, samples: value.samples.slice(0, limit) }, true];
  if (value.type === "matrix" && value.series.length > limit)
    return [{ ...value, series: value.series.slice(0, limit) }, true];
  return [value, false];
}

/** `query_exemplars`: of every series that the query reads. */
export function answerExemplars({ parameters, store }: Call): Answered {
  const [fromMs, toMs] = [readTimeMs(parameters, "start", -EVER_MS), readTimeMs(parameters, "end", EVER_MS)];
  if (toMs < fromMs) throw invalidParameter("end", "end timestamp must not be before start time");
  const selectors = selectorsOf(parseParameter(parameters)).map(({ matchers }) => matchers);
  if (selectors.length === 0) return { data: "[]" };
  const found = store.exemplars({ selectors, fromMs, toMs }).map(({ series, exemplars }) => {
    const all = exemplars.map(
      ({ labels, value, timestampMs }) =>
        `{"labels":${labelsJson(labels)},"value":"${valueText(value)}","timestamp":${timeJson(timestampMs)}}`,
    );
    return `{"seriesLabels":${labelsJson(series)},"exemplars":[${all.join(",")}]}`;
  });
  return { data: `[${found.join(",")}]` };
}

/** `format_query`: laid out for people. */
export function answerFormat({ parameters }: Call): Answered {
  return { data: JSON.stringify(prettifyQuery(parseParameter(parameters))) };
}

/** `parse_query`: as a tree. */
export function answerParse({ parameters }: Call): Answered {
  return { data: JSON.stringify(queryToJson(parseParameter(parameters))) };
}

function parseParameter(parameters: Parameters): Expr {
  try {
    return parseQuery(parameters.text("query"));
  } catch (error) {
    throw error instanceof ParseError ? invalidParameter("query", error.message) : error;
  }
}
