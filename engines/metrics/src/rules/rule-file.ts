/** A file of rules as Prometheus has them; durations in milliseconds. */
export interface RuleFile {
  groups: readonly RuleGroup[];
}

export interface RuleGroup {
  name: string;
  /** Null: as whoever evaluates it sees fit. */
  intervalMs: number | null;
  /** So far behind the present the queries are asked. */
  queryOffsetMs: number | null;
  /** The most series of a rule; 0: any number. */
  limit: number;
  rules: readonly Rule[];
}

interface RuleBase {
  query: string;
  /** With those of the group. */
  labels: Readonly<Record<string, string>>;
  line: number;
}

export interface RecordingRule extends RuleBase {
  kind: "recording";
  /** What the answers are kept as. */
  name: string;
}

export interface AlertingRule extends RuleBase {
  kind: "alerting";
  name: string;
  forMs: number;
  keepFiringMs: number;
  annotations: Readonly<Record<string, string>>;
}

export type Rule = RecordingRule | AlertingRule;

/** What is wrong in a file, and where: line and column from 1. */
export interface RuleProblem {
  line: number;
  column: number;
  message: string;
}
