export { readRuleFile } from "./read-rule-file.ts";
export { recordedSamples, RuleError, type RecordedSample } from "./record.ts";
export type { AlertingRule, RecordingRule, Rule, RuleFile, RuleGroup, RuleProblem } from "./rule-file.ts";
