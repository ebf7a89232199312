import type { Buckets } from "../../histogram.ts";

/** A run of buckets that stand next to each other, and how far it is from the one before. */
export interface Span {
  offset: number;
  length: number;
}

/** Where the buckets are, as formats of Prometheus say it. */
export function spansOf({ indexes }: Pick<Buckets, "indexes">): Span[] {
  const spans: Span[] = [];
  let next = 0;
  let last: Span | null = null;
  for (const index of indexes) {
    if (last !== null && index === next) last.length += 1;
    else {
      last = { offset: index - next, length: 1 };
      spans.push(last);
    }
    next = index + 1;
  }
  return spans;
}
