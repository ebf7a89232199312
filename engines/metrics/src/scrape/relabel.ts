import { createHash } from "node:crypto";
import { compileGroups, compileRegex, expandGroups } from "../promql/label-regex.ts";

export const RELABEL_ACTIONS = [
  ...(["replace", "keep", "drop", "hashmod", "labelmap", "labeldrop"] as const),
  ...(["labelkeep", "lowercase", "uppercase", "keepequal", "dropequal"] as const),
] as const;
export type RelabelAction = (typeof RELABEL_ACTIONS)[number];

/** One rule of `relabel_configs` or `metric_relabel_configs`, as Prometheus' configuration has them. */
export interface RelabelRule {
  action: RelabelAction;
  sourceLabels: readonly string[];
  separator: string;
  /** RE2; it must match the whole of what it is held against. */
  regex: string;
  modulus: number;
  targetLabel: string;
  replacement: string;
}

export const RELABEL_DEFAULTS: RelabelRule = {
  action: "replace",
  sourceLabels: [],
  separator: ";",
  regex: "(.*)",
  modulus: 0,
  targetLabel: "",
  replacement: "$1",
};

/** Labels by name, as relabelling sees them; an empty value is no label. */
export type LabelMap = Map<string, string>;

/** Alters the labels it is given; false: the target or the sample is left out. */
export type Relabel = (labels: LabelMap) => boolean;

/** Rules in their order, of which the first that leaves something out is the last. */
export function compileRelabelling(rules: readonly RelabelRule[]): Relabel {
  const steps = rules.map(compileRule);
  return (labels) => steps.every((step) => step(labels));
}

/** Compiles one action. Throws SyntaxError for a regular expression that is none. */
function compileRule(rule: RelabelRule): Relabel {
  const { action, targetLabel } = rule;
  const joined = (labels: LabelMap) =>
    rule.sourceLabels.map((name) => labels.get(name) ?? "").join(rule.separator);
  switch (action) {
    case "replace":
      return compileReplace(rule, joined);
    case "labelmap":
      return compileLabelMap(rule);
    case "keep":
    case "drop": {
      const matches = compileRegex(rule.regex);
      return (labels) => matches(joined(labels)) === (action === "keep");
    }
    case "keepequal":
    case "dropequal":
      return (labels) => (joined(labels) === (labels.get(targetLabel) ?? "")) === (action === "keepequal");
    case "labeldrop":
    case "labelkeep": {
      const matches = compileRegex(rule.regex);
      return (labels) => {
        for (const name of labels.keys()) if (matches(name) === (action === "labeldrop")) labels.delete(name);
        return true;
      };
    }
    case "lowercase":
      return (labels) => set(labels, targetLabel, joined(labels).toLowerCase());
    case "uppercase":
      return (labels) => set(labels, targetLabel, joined(labels).toUpperCase());
    case "hashmod":
      return (labels) => set(labels, targetLabel, hashModulo(joined(labels), rule.modulus));
  }
}

function compileReplace(
  { regex, targetLabel, replacement }: RelabelRule,
  joined: (labels: LabelMap) => string,
): Relabel {
  const find = compileGroups(regex);
  return (labels) => {
    const found = find(joined(labels));
    if (found === null) return true;
    const target = expandGroups(targetLabel, found);
    return target === "" || set(labels, target, expandGroups(replacement, found));
  };
}

function compileLabelMap({ regex, replacement }: RelabelRule): Relabel {
  const find = compileGroups(regex);
  return (labels) => {
    for (const [name, value] of [...labels]) {
      const found = find(name);
      if (found !== null) set(labels, expandGroups(replacement, found), value);
    }
    return true;
  };
}

function set(labels: LabelMap, name: string, value: string): true {
  if (value === "") labels.delete(name);
  else labels.set(name, value);
  return true;
}

/** The last 8 bytes of the MD5 as a big-endian number, as Prometheus shards targets. */
function hashModulo(text: string, modulus: number): string {
  const last = createHash("md5").update(text).digest().readBigUInt64BE(8);
  return String(last % BigInt(modulus));
}

const NEED_TARGET: readonly RelabelAction[] = [
  ...(["replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"] as const),
];
const LABELS_ONLY: readonly RelabelAction[] = ["labeldrop", "labelkeep"];
const EQUALITY: readonly RelabelAction[] = ["keepequal", "dropequal"];
const CASES: readonly RelabelAction[] = ["lowercase", "uppercase"];

/** What is wrong with a rule of which only these keys were written; null: nothing. */
export function findRuleError(written: Partial<RelabelRule>): string | null {
  const rule = { ...RELABEL_DEFAULTS, ...written };
  const { action } = rule;
  const has = (key: keyof RelabelRule) => written[key] !== undefined;
  if (action === "hashmod" && rule.modulus < 1) return "hashmod needs a modulus of at least 1";
  if (NEED_TARGET.includes(action) && rule.targetLabel === "") return `${action} needs a target_label`;
  if (CASES.includes(action) && has("replacement")) return `${action} takes no replacement`;
  if (EQUALITY.includes(action) && (["regex", "modulus", "separator", "replacement"] as const).some(has))
    return `${action} takes source_labels and target_label alone`;
  const beyondRegex = ["sourceLabels", "targetLabel", "modulus", "separator", "replacement"] as const;
  if (LABELS_ONLY.includes(action) && beyondRegex.some(has)) return `${action} takes a regex alone`;
  try {
    compileRule({ ...rule, modulus: Math.max(1, rule.modulus) });
    return null;
  } catch (error) {
    return `"${rule.regex}" is no regular expression: ${error instanceof Error ? error.message : String(error)}`;
  }
}
