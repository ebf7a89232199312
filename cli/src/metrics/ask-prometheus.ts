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
  if (answer?.status === "error") throw new CliError(answer.error, EXIT.failed, remedyOf(answer));
  if (response.status === 401 || response.status === 403 || response.status >= 500)
    throw await problemOf(new Response(text, { status: response.status }));
  throw new AppError("METRICS_UNAVAILABLE", { reason: `HTTP ${response.status}` });
}

const REMEDIES: Readonly<Record<string, string>> = {
  execution: "Ask for fewer series, a shorter range or a larger step.",
  timeout: "Ask for fewer series, a shorter range or a larger step.",
};

function remedyOf({ errorType, error }: Refusal): string | null {
  if (/^\d+:\d+: /.test(error)) return "Correct the query; the position is line:column.";
  if (error.includes("resolution")) return "Give a larger --step, or a shorter --range.";
  return REMEDIES[errorType] ?? null;
}

interface Refusal {
  status: "error";
  errorType: string;
  error: string;
}

type Body<Data> = { status: "success"; data: Data; warnings?: string[]; infos?: string[] } | Refusal;

function readAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
