import type { GateAnswer, GateValue } from "@mainstay/rollout";
import type { QueryResult } from "@mainstay/metrics";
import type { Labels } from "@mainstay/metrics/model";
import type { Clock } from "../../kernel/clock.ts";
import { DeadlineError, withDeadline } from "../../kernel/deadline.ts";
import type { Log } from "../../kernel/log.ts";
import { MetricsError, type MetricsStore } from "../metrics/index.ts";
import { fillQuery, type Variables } from "./fill-query.ts";

/** The store gives up on a query after this, and is not waited for after a second more. */
const QUERY_MS = 5_000;
const PATIENCE_MS = QUERY_MS + 1_000;
const LABELS_LENGTH = 200;

export interface AskDependencies {
  store: Pick<MetricsStore, "query">;
  clock: Clock;
  log: Log;
}

export interface StoreQuestion {
  template: string;
  variables: Variables;
  atMs: number;
}

/** What a query comes to; a store that is down, slow or full has no data. */
export async function askStore(
  { store, clock, log }: AskDependencies,
  { template, variables, atMs }: StoreQuestion,
): Promise<GateAnswer> {
  const filled = fillQuery(template, variables);
  if ("unknown" in filled) return { none: `${filled.unknown} is no variable` };
  try {
    const asked = store.query({ query: filled.query, timeMs: atMs, timeoutMs: QUERY_MS });
    return valuesOf(await withDeadline({ clock, ms: PATIENCE_MS }, asked));
  } catch (error) {
    if (error instanceof DeadlineError)
      return { none: `the metrics store did not answer within ${PATIENCE_MS / 1000} s` };
    if (error instanceof MetricsError) return { none: error.message };
    log.error({ error }, "a gate could not be asked");
    return { none: "asking failed; the server's log says why" };
  }
}

function valuesOf({ value }: QueryResult): GateAnswer {
  if (value.type === "scalar") return { values: [{ labels: "", value: value.value }] };
  if (value.type !== "vector") return { none: "the query yields no numbers of one moment" };
  const isOne = value.samples.length === 1;
  const values = value.samples.flatMap(({ labels, value: number }): GateValue[] =>
    typeof number === "number" ? [{ labels: isOne ? "" : labelWords(labels), value: number }] : [],
  );
  if (values.length === 0 && value.samples.length > 0)
    return { none: "the query yields histograms, no numbers" };
  return { values };
}

function labelWords({ names, values }: Labels): string {
  const words = `{${names.map((name, index) => `${name}=${JSON.stringify(values[index] ?? "")}`).join(", ")}}`;
  return words.length > LABELS_LENGTH ? `${words.slice(0, LABELS_LENGTH)}…` : words;
}
