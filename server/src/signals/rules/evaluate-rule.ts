import type { Labels } from "@mainstay/metrics/model";
import { recordedSamples, type RecordedSample, type RecordingRule } from "@mainstay/metrics/rules";
import { createAppendBatch, type MetricsStore } from "../metrics/index.ts";

export interface EvaluationDependencies {
  store: Pick<MetricsStore, "query" | "append">;
}

export interface RuleQuestion {
  rule: RecordingRule;
  limit: number;
  /** When it is asked about, and what the answers are kept as. */
  atMs: number;
  /** What it yielded before: those of them that are gone end. */
  before: ReadonlyMap<string, Labels>;
}

export interface RuleOutcome {
  series: ReadonlyMap<string, Labels>;
  refused: number;
  /** About the first sample that was not taken. */
  message: string | null;
}

/** Asks what a rule asks, and keeps the answers under its name. */
export async function evaluateRule(
  { store }: EvaluationDependencies,
  { rule, limit, atMs, before }: RuleQuestion,
): Promise<RuleOutcome> {
  const { value } = await store.query({ query: rule.query, timeMs: atMs });
  const samples = recordedSamples(rule, value, limit);
  const series = new Map(samples.map(({ labels }) => [labels.key, labels]));
  const gone = [...before].filter(([key]) => !series.has(key)).map(([, labels]) => labels);
  const { refused } = await keep(store, { samples, gone, atMs });
  const count = refused.reduce((sum, each) => sum + each.count, 0);
  return { series, refused: count, message: refused[0]?.message ?? null };
}

/** Ends series that nobody continues: whoever asks for them from now on finds nothing. */
export async function endSeries(
  { store }: EvaluationDependencies,
  series: Iterable<Labels>,
  atMs: number,
): Promise<void> {
  await keep(store, { samples: [], gone: [...series], atMs });
}

async function keep(
  store: Pick<MetricsStore, "append">,
  { samples, gone, atMs }: { samples: readonly RecordedSample[]; gone: readonly Labels[]; atMs: number },
) {
  const batch = createAppendBatch("operator");
  for (const { labels, value } of samples) {
    const position = batch.addSeries(pairsOf(labels));
    if (typeof value === "number") batch.addSample(position, atMs, value);
    else batch.addHistogram(position, atMs, value);
  }
  for (const labels of gone) batch.addStale(batch.addSeries(pairsOf(labels)), atMs);
  return batch.size() === 0 ? { refused: [] } : store.append(batch.finish());
}

function pairsOf({ names, values }: Labels): [string, string][] {
  return names.map((name, index) => [name, values[index] ?? ""]);
}
