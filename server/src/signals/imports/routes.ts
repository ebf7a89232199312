import { AppError, pushOutcome } from "@mainstay/api";
import { reply, type Http } from "../../kernel/http/index.ts";
import type { MetricsStore } from "../metrics/index.ts";
import { importText } from "./import-text.ts";

/** Read in one go, so that it never keeps other requests waiting for long. */
const LIMIT_BYTES = 8 * 2 ** 20;
const OPEN_METRICS = "application/openmetrics-text";

/** POST /api/v1/metrics/import: samples of the past. */
export function addImportRoutes(http: Http, { store }: { store: Pick<MetricsStore, "backfill"> }): void {
  http.route({
    method: "POST",
    url: "/api/v1/metrics/import",
    permission: "metrics.write",
    summary: "Keeps samples of any age, as OpenMetrics text of at most 8 MiB; 422 when some were refused",
    takes: [OPEN_METRICS],
    response: pushOutcome,
    statuses: [200, 422],
    handler: async ({ content, authenticated }) => {
      // Who may delete what Mainstay measured may also bring it back; a key that only sends may not.
      const origin = authenticated.can("metrics.admin") ? "operator" : "outside";
      const outcome = await importText(store, { text: await readText(content), origin });
      return reply({ status: outcome.refused.length > 0 ? 422 : 200, body: outcome });
    },
  });
}

async function readText(content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of content) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > LIMIT_BYTES) throw new AppError("REQUEST_OVER_MAXIMUM", { limitBytes: LIMIT_BYTES });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
