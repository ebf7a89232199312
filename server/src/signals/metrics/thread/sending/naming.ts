import { createLabels, labelValue, METRIC_NAME, type Labels } from "@mainstay/metrics/model";
import { compileRelabelling, RELABEL_DEFAULTS, type RelabelRule } from "@mainstay/metrics/scrape";
import type { LogFollower } from "@mainstay/metrics/tsdb";
import type { NameOf } from "./outgoing-batch.ts";

/** What series of a family are called beside its own name. */
const SUFFIX = /_(bucket|count|sum|total|created|info)$/;

/** Series as they are sent; what rules make of each is found out once. */
export function createNaming(
  follower: Pick<LogFollower, "labelsOf" | "metadataOf">,
  rules: readonly Partial<RelabelRule>[],
): NameOf {
  const relabel = compileRelabelling(rules.map((rule) => ({ ...RELABEL_DEFAULTS, ...rule })));
  const known = new WeakMap<Labels, Labels | null>();

  function relabelled(labels: Labels): Labels | null {
    if (rules.length === 0) return labels;
    const found = known.get(labels);
    if (found !== undefined) return found;
    const map = new Map(labels.names.map((name, index) => [name, labels.values[index] ?? ""]));
    const made = relabel(map) ? createLabels(map) : null;
    known.set(labels, made);
    return made;
  }

  return (ref) => {
    const labels = follower.labelsOf(ref);
    if (labels === null) return "unknown-series";
    const sent = relabelled(labels);
    if (sent === null || sent.names.length === 0) return "relabelling";
    const name = labelValue(labels, METRIC_NAME);
    const metadata = follower.metadataOf(name) ?? follower.metadataOf(name.replace(SUFFIX, ""));
    return { labels: sent, metadata };
  };
}
