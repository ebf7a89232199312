import { AppError, type PushOutcome } from "@mainstay/api";
import { createAppendBatch, MetricsError, type AppendBatch, type MetricsStore } from "../metrics/index.ts";

/**
 * Keeps the samples of a text in OpenMetrics, of any age. Its lines must be well-formed; whether a family is
 * complete is not asked, because a long text comes in pieces.
 */
export async function importText(
  store: Pick<MetricsStore, "backfill">,
  { text, origin }: ImportedText,
): Promise<PushOutcome> {
  const batch = await readBatch(text, origin);
  try {
    const { written, repeated, refused } = await store.backfill(batch);
    const told = refused.map(({ reason, count, message }) => ({ reason, count, message }));
    return { written: written.samples, repeated, refused: told };
  } catch (error) {
    if (!(error instanceof MetricsError)) throw error;
    throw new AppError("METRICS_UNAVAILABLE", { reason: error.message }, { cause: error });
  }
}

export interface ImportedText {
  text: string;
  origin: AppendBatch["origin"];
}

interface Family {
  metric: string;
  type: string;
  help: string;
  unit: string;
}

async function readBatch(text: string, origin: AppendBatch["origin"]): Promise<AppendBatch> {
  const { parseOpenMetrics, parseSeriesText, TextError } = await import("@mainstay/metrics/wire");
  const batch = createAppendBatch(origin);
  const positions = new Map<string, number>();
  const families = new Map<string, Family>();
  const add = (series: string, line: number): number => {
    const { metric, labels } = parseSeriesText(series, { isLoose: false }, line);
    return batch.addSeries([["__name__", metric], ...labels]);
  };
  try {
    parseOpenMetrics(text, {
      sample({ series, value, timestampMs, line }) {
        if (timestampMs === null) throw new TextError(line, "the sample has no time");
        const position = positions.get(series) ?? add(series, line);
        positions.set(series, position);
        batch.addSample(position, timestampMs, value);
      },
      metadata({ metric, kind, text: told }) {
        const known = families.get(metric) ?? { metric, type: "unknown", help: "", unit: "" };
        families.set(metric, { ...known, [kind]: told });
      },
    });
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const reason = error.message.replace(/^line \d+: /, "");
    throw new AppError("REQUEST_INVALID", {}, { errors: [{ path: `line ${error.line}`, message: reason }] });
  }
  for (const family of families.values()) if (family.type !== "unknown") batch.addMetadata(family);
  return batch.finish();
}
