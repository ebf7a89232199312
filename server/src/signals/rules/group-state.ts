import type { Rule, RuleGroup as FileGroup } from "@mainstay/metrics/rules";
import type { AlertingRule, RecordingRule, RuleGroup } from "../metrics/index.ts";

/** How the last evaluation of a rule went. */
export interface RuleRun {
  health: "unknown" | "ok" | "err";
  lastError: string | null;
  lastEvaluationMs: number | null;
  evaluationMs: number;
}

export const NEVER_RUN: RuleRun = {
  health: "unknown",
  lastError: null,
  lastEvaluationMs: null,
  evaluationMs: 0,
};

export interface GroupState {
  group: FileGroup;
  file: string;
  intervalMs: number;
  lastEvaluationMs: number | null;
  evaluationMs: number;
  runs: readonly RuleRun[];
}

/**
 * A group as the HTTP API shows it. Alerts are read and
 * not evaluated: they are inactive, their health unknown.
 */
export function viewOfGroup({ group, file, intervalMs, runs, ...last }: GroupState): RuleGroup {
  const { name, limit } = group;
  const { lastEvaluationMs, evaluationMs } = last;
  const rules = group.rules.map((rule, index) => viewOfRule(rule, runs[index] ?? NEVER_RUN));
  return { name, file, intervalMs, limit, lastEvaluationMs, evaluationMs, rules };
}

function viewOfRule(rule: Rule, run: RuleRun): RecordingRule | AlertingRule {
  const { name, query, labels } = rule;
  if (rule.kind === "recording") return { kind: "recording", name, query, labels, ...run };
  const { forMs, keepFiringMs, annotations } = rule;
  const alert = { forMs, keepFiringMs, annotations, state: "inactive" as const, alerts: [] };
  return { kind: "alerting", name, query, labels, ...run, ...alert };
}
