import type { TargetHealth } from "./target-loop.ts";

export interface ActiveTarget extends TargetHealth {
  /** The name of its job. */
  pool: string;
  url: string;
  /** Before relabelling. */
  discovered: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  intervalMs: number;
  timeoutMs: number;
}

export interface DroppedTarget {
  pool: string;
  discovered: Readonly<Record<string, string>>;
}

export interface PoolView {
  name: string;
  active: readonly ActiveTarget[];
  /** The first of those that relabelling leaves out. */
  dropped: readonly DroppedTarget[];
  droppedCount: number;
  /** What was found and is no target, and what cannot be looked for. */
  problems: readonly string[];
}

/** Everything that is scraped, as it is now. */
export interface TargetsView {
  pools(): readonly PoolView[];
}
