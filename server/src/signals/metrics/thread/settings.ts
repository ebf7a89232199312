import type { StoreLimits } from "@mainstay/metrics/tsdb";

/** What the thread is started with. */
export interface ThreadSettings {
  directory: string;
  store: Partial<StoreLimits>;
  query: QueryBudget;
  /** The most that a delivery may hold once it is unpacked. */
  bodyBytes: number;
}

/** What one query may take. */
export interface QueryBudget {
  samples: number;
  bytes: number;
  timeoutMs: number;
}
