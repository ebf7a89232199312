/** What is scraped and what is evaluated, as the rooms that do so show it to the HTTP API. */

export interface ActiveTarget {
  /** The name of its job. */
  pool: string;
  url: string;
  /** Before relabelling. */
  discovered: Readonly<Record<string, string>>;
  labels: Readonly<Record<string, string>>;
  intervalMs: number;
  timeoutMs: number;
  health: "unknown" | "up" | "down";
  lastError: string | null;
  lastScrapeMs: number | null;
  lastDurationMs: number | null;
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
}

/** Everything that is scraped, as it is now. */
export interface TargetsView {
  pools(): readonly PoolView[];
}

interface RuleState {
  name: string;
  query: string;
  labels: Readonly<Record<string, string>>;
  health: "unknown" | "ok" | "err";
  lastError: string | null;
  lastEvaluationMs: number | null;
  evaluationMs: number;
}

export interface RecordingRule extends RuleState {
  kind: "recording";
}

export interface AlertingRule extends RuleState {
  kind: "alerting";
  state: "inactive" | "pending" | "firing";
  /** For how long it must hold before it fires, and goes on firing after it is over. */
  forMs: number;
  keepFiringMs: number;
  annotations: Readonly<Record<string, string>>;
  alerts: readonly ActiveAlert[];
}

export interface ActiveAlert {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  state: "pending" | "firing";
  activeAtMs: number;
  value: number;
}

export interface RuleGroup {
  name: string;
  file: string;
  intervalMs: number;
  limit: number;
  lastEvaluationMs: number | null;
  evaluationMs: number;
  rules: readonly (RecordingRule | AlertingRule)[];
}

/** Every rule, as it is now. */
export interface RulesView {
  groups(): readonly RuleGroup[];
}
