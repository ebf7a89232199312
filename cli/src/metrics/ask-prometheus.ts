import { AppError } from "@mainstay/api/plain";
import { problemOf } from "../api-client.ts";
import { CliError, EXIT } from "../cli-error.ts";
import type { Context } from "../context.ts";

export interface PrometheusAnswer<Data> {
  data: Data;
  warnings: string[];
  infos: string[];
}

/** Names and values of a question; a name may come several times. */
export type Question = readonly (readonly [name: string, value: string])[];

/** Asks the HTTP API of Prometheus; what it refuses fails with its own words. */
export async function askPrometheus<Data>(
  { api }: Context,
  path: string,
  question: Question = [],
): Promise<PrometheusAnswer<Data>> {
  const search = new URLSearchParams(question.map(([name, value]): [string, string] => [name, value]));
  const response = await api.plain(`/prometheus/api/v1/${path}?${search}`);
  const text = await response.text();
  const answer = readAnswer(text) as Body<Data> | null;
  if (answer?.status === "success")
    return { data: answer.data, warnings: answer.warnings ?? [], infos: answer.infos ?? [] };
  if (answer?.status === "error")
    throw new CliError(answer.error, EXIT.failed, REMEDIES[answer.errorType] ?? "");
  if (response.status === 401 || response.status === 403 || response.status >= 500)
    throw await problemOf(new Response(text, { status: response.status }));
  throw new AppError("METRICS_UNAVAILABLE", { reason: `HTTP ${response.status}` });
}

const REMEDIES: Readonly<Record<string, string>> = {
  bad_data: "Correct the query; the position is line:column.",
  execution: "Ask for fewer series, a shorter range or a larger step.",
  timeout: "Ask for fewer series, a shorter range or a larger step.",
};

type Body<Data> =
  | { status: "success"; data: Data; warnings?: string[]; infos?: string[] }
  | { status: "error"; errorType: string; error: string };

function readAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
