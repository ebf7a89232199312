import { METRIC_NAME } from "@mainstay/metrics/model";

/**
 * Who brings samples, which is known by the way they come and never by what they say: Mainstay itself, who
 * runs it (its files of rules, imports of administrators), or anybody else.
 */
export type Origin = "platform" | "operator" | "outside";

/** What the names of Mainstay's own metrics begin with, and no other name: docs/guides/measures.md. */
const PREFIX = "mainstay_";

export function isReservedName(metric: string): boolean {
  return metric.startsWith(PREFIX);
}

/**
 * Why series with these labels are not taken from outside; null when they are. With a label that tells other
 * Mainstays apart theirs are, since none of them can be one of ours.
 */
export function reservedNameFault(
  pairs: readonly (readonly [name: string, value: string])[],
  othersLabel: string | null,
): string | null {
  const valueOf = (wanted: string) => pairs.find(([name]) => name === wanted)?.[1] ?? "";
  const metric = valueOf(METRIC_NAME);
  if (!isReservedName(metric)) return null;
  if (othersLabel === null)
    return `only Mainstay itself has names that begin with ${PREFIX}, such as ${metric}: name it otherwise`;
  if (valueOf(othersLabel) !== "") return null;
  return `from others, names that begin with ${PREFIX}, such as ${metric}, are taken with the label ${othersLabel} alone`;
}
