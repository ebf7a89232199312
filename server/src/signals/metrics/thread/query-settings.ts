import type { QuerySettings } from "@mainstay/metrics";
import type { Queryable } from "@mainstay/metrics/model";
import type { MetricsStore as Store } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../kernel/clock.ts";
import type { ThreadSettings } from "./settings.ts";

export interface QueryWish {
  /** No longer than the store allows anyway. */
  timeoutMs?: number | undefined;
  lookbackMs?: number | undefined;
  /** Where the samples that are read are counted. */
  counted?: { samples: number };
}

/** How a query is evaluated over the store. */
export function querySettings(
  { store, settings, clock }: { store: Store; settings: ThreadSettings; clock: Clock },
  { timeoutMs = Infinity, lookbackMs, counted }: QueryWish,
): QuerySettings {
  const { samples, bytes, timeoutMs: longestMs } = settings.query;
  return {
    storage: counted ? counting(store, counted) : store,
    limits: {
      maxSamples: samples,
      maxBytes: bytes,
      timeoutMs: Math.min(timeoutMs, longestMs),
      nowMs: () => clock.monotonicMs(),
    },
    ...(lookbackMs === undefined ? {} : { lookbackMs }),
  };
}

function counting(store: Store, counted: { samples: number }): Queryable {
  return {
    select: (matchers, options) => {
      const budget = {
        addBytes: options.budget.addBytes,
        addSamples: (samples: number) => {
          counted.samples += samples;
          options.budget.addSamples(samples);
        },
      };
      return store.select(matchers, { ...options, budget });
    },
  };
}
