import type { Matcher } from "@mainstay/metrics/model";
import type { ListOptions } from "@mainstay/metrics/tsdb";
import { MetricsError, type SeriesRequest } from "../metrics-store.ts";
import { EVER_MS } from "../parameters.ts";

/** What is asked for, as the engine takes it. */
export async function toListOptions({
  match,
  fromMs = -EVER_MS,
  toMs = EVER_MS,
}: SeriesRequest): Promise<ListOptions> {
  const selectors: (readonly Matcher[])[] = [];
  for (const text of match) selectors.push(await parseSelector(text));
  return { fromMs, toMs, selectors };
}

/** The matchers of a text such as `up{job="a"}`. */
export async function parseSelector(text: string): Promise<readonly Matcher[]> {
  const { parseQuery } = await import("@mainstay/metrics");
  const expr = parseQuery(text);
  if (expr.kind === "selector" && expr.offset === null && expr.at === null) return expr.matchers;
  throw new MetricsError("parse", `${JSON.stringify(text)} is no selector of series, such as up{job="a"}`);
}
