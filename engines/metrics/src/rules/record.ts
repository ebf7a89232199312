import type { Histogram } from "../histogram.ts";
import { createLabels, METRIC_NAME, NO_LABELS, type Labels } from "../labels.ts";
import type { ResultValue } from "../promql/query-result.ts";
import type { RecordingRule } from "./rule-file.ts";

export interface RecordedSample {
  labels: Labels;
  value: number | Histogram;
}

/** Why the answer to a rule is not kept. */
export class RuleError extends Error {
  override name = "RuleError";
}

/** The answer to a rule under the rule's name and labels; labels of the rule replace those of the answer. */
export function recordedSamples(rule: RecordingRule, answer: ResultValue, limit: number): RecordedSample[] {
  const samples = samplesOf(answer);
  if (limit > 0 && samples.length > limit)
    throw new RuleError(`it yields ${samples.length} series, and the limit of its group is ${limit}`);
  const own = Object.entries({ ...rule.labels, [METRIC_NAME]: rule.name });
  const names = new Set(own.map(([name]) => name));
  const seen = new Set<string>();
  return samples.map(({ labels, value }) => {
    const kept = labels.names.flatMap((name, index): [string, string][] =>
      names.has(name) ? [] : [[name, labels.values[index] ?? ""]],
    );
    const recorded = createLabels([...kept, ...own]);
    if (seen.has(recorded.key))
      throw new RuleError("it yields two series that are the same under the rule's name and labels");
    seen.add(recorded.key);
    return { labels: recorded, value };
  });
}

function samplesOf(answer: ResultValue): RecordedSample[] {
  if (answer.type === "vector") return [...answer.samples];
  if (answer.type === "scalar") return [{ labels: NO_LABELS, value: answer.value }];
  throw new RuleError("it yields no numbers of one moment");
}
