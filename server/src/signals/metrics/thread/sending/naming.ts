import { METRIC_NAME, labelValue, type Labels } from "@mainstay/metrics/model";
import {
  compileRelabelling,
  findRuleError,
  RELABEL_DEFAULTS,
  type RelabelRule,
} from "@mainstay/metrics/scrape";
import type { LogFollower } from "@mainstay/metrics/tsdb";
import { pairsOf, type NameOf, type OutgoingName } from "./outgoing-batch.ts";

/** What series of a family are called beside its own name. */
const SUFFIX = /_(bucket|count|sum|total|created|info)$/;

/** Why rules cannot be followed; null: they can. */
export function ruleFault(rules: readonly Partial<RelabelRule>[]): string | null {
  for (const [index, rule] of rules.entries()) {
    const fault = findRuleError(rule);
    if (fault !== null) return `writeRelabelConfigs[${index}]: ${fault}`;
  }
  return null;
}

/** Series as they are sent; what rules make of each is found out once. */
export function createNaming(
  follower: Pick<LogFollower, "labelsOf" | "metadataOf">,
  rules: readonly Partial<RelabelRule>[],
): NameOf {
  const relabel = compileRelabelling(rules.map((rule) => ({ ...RELABEL_DEFAULTS, ...rule })));
  const known = new WeakMap<Labels, OutgoingName["labels"] | null>();

  function relabelled(labels: Labels): OutgoingName["labels"] | null {
    if (rules.length === 0) return pairsOf(labels);
    const found = known.get(labels);
    if (found !== undefined) return found;
    const map = new Map(pairsOf(labels));
    const pairs = relabel(map) ? [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)) : null;
    known.set(labels, pairs);
    return pairs;
  }

  return (ref) => {
    const labels = follower.labelsOf(ref);
    if (labels === null) return "unknown-series";
    const pairs = relabelled(labels);
    if (pairs === null || pairs.length === 0) return "relabelling";
    const name = labelValue(labels, METRIC_NAME);
    const metadata = follower.metadataOf(name) ?? follower.metadataOf(name.replace(SUFFIX, ""));
    return { labels: pairs, metadata };
  };
}
