import type { BudgetReason, RefusalReason } from "@mainstay/metrics/tsdb";

/** What was not taken, by kind and reason, with an example in words. */
export interface Refused {
  what: "sample" | "histogram" | "exemplar";
  reason: RefusalReason | BudgetReason | "unsupported" | "reserved-name";
  count: number;
  message: string;
}

const EXAMPLES_MAX = 10;

/** A line for each kind and reason. */
export function describeRefused(refused: readonly Refused[], separator = "\n"): string {
  const lines = refused.slice(0, EXAMPLES_MAX).map(({ what, reason, count, message }) => {
    const counted = `${count} ${what}${count === 1 ? "" : "s"}`;
    return `${counted} refused (${reason}), such as: ${message}`;
  });
  return lines.join(separator);
}
