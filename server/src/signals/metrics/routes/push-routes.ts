import { AppError, pushedMetrics, pushOutcome, type PushedMetrics, type PushOutcome } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import { reply, type Http } from "../../../kernel/http/index.ts";
import { createAppendBatch } from "../append-batch.ts";
import { MetricsError, type AppendBatch, type MetricsStore } from "../metrics-store.ts";

export interface PushRoutesDependencies {
  store: Pick<MetricsStore, "append">;
  clock: Clock;
  bodyBytes: number;
}

/** Unlike the other requests, these are read in the main thread, as a whole and as one text. */
const LARGEST_JSON_BYTES = 64 * 2 ** 20;

/** For scripts, which have a number and no library. */
export function addPushRoutes(http: Http, { store, clock, bodyBytes }: PushRoutesDependencies): void {
  http.route({
    method: "POST",
    url: "/api/v1/metrics",
    permission: "metrics.write",
    takesBasic: true,
    summary: "Keeps samples; 422 when some of them were refused",
    body: pushedMetrics,
    bodyLimit: { sizeBytes: Math.min(bodyBytes, LARGEST_JSON_BYTES), setting: "metrics.bodyLimit" },
    response: pushOutcome,
    statuses: [200, 422],
    handler: async ({ body }) => {
      const outcome = await push(store, toBatch(body, clock.now().getTime()));
      return reply({ status: outcome.refused.length > 0 ? 422 : 200, body: outcome });
    },
  });
}

async function push(store: Pick<MetricsStore, "append">, batch: AppendBatch): Promise<PushOutcome> {
  try {
    const { written, repeated, refused } = await store.append(batch);
    const told = refused.map(({ reason, count, message }) => ({ reason, count, message }));
    return { written: written.samples, repeated, refused: told };
  } catch (error) {
    if (error instanceof MetricsError) throw unavailable(error);
    throw error;
  }
}

function toBatch({ metrics }: PushedMetrics, nowMs: number): AppendBatch {
  const batch = createAppendBatch();
  for (const { name, labels, value, time, type, help, unit } of metrics) {
    const position = batch.addSeries([["__name__", name], ...Object.entries(labels)]);
    batch.addSample(position, time === undefined ? nowMs : Date.parse(time), toNumber(value));
    const isTold = type !== undefined || help !== undefined || unit !== undefined;
    if (isTold)
      batch.addMetadata({ metric: name, type: type ?? "unknown", help: help ?? "", unit: unit ?? "" });
  }
  return batch.finish();
}

function toNumber(value: number | "NaN" | "+Inf" | "-Inf"): number {
  if (typeof value === "number") return value;
  return value === "NaN" ? NaN : value === "+Inf" ? Infinity : -Infinity;
}

/** In the words of the catalogue. */
function unavailable({ message }: MetricsError): AppError {
  return new AppError("METRICS_UNAVAILABLE", { reason: message });
}
