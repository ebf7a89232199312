import type { Node } from "yaml";
import { METRIC_NAME } from "../labels.ts";
import { typeOf } from "../promql/syntax/check.ts";
import { parseDurationMs } from "../promql/syntax/literals.ts";
import { parse } from "../promql/syntax/parse.ts";
import { ParseError } from "../promql/syntax/parse-error.ts";
import type { Rule, RuleFile, RuleGroup, RuleProblem } from "./rule-file.ts";
import { createYamlReader, type YamlReader } from "./yaml-reader.ts";

const GROUP_KEYS = ["name", "interval", "query_offset", "limit", "labels", "rules"];
const RULE_KEYS = ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];

/**
 * A text in the form of Prometheus' rule files, with everything that is wrong in it. What
 * could not be read is left out of the file, so a file with problems must not be put in force.
 */
export function readRuleFile(text: string): { file: RuleFile; problems: RuleProblem[] } {
  const problems: RuleProblem[] = [];
  const reader = createYamlReader(text, problems);
  if (reader.root === null) return { file: { groups: [] }, problems };
  const top = reader.fields(reader.root, "the file", ["groups"]);
  const groups = reader.items(top.get("groups"), "groups").map((node) => readGroup(reader, node));
  const names = new Set<string>();
  for (const { group, node } of groups) {
    if (names.has(group.name)) reader.report(node, `groups: ${group.name} is there twice`);
    names.add(group.name);
  }
  const inOrder = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { file: { groups: groups.map(({ group }) => group) }, problems: inOrder };
}

function readGroup(reader: YamlReader, node: Node): { group: RuleGroup; node: Node } {
  const fields = reader.fields(node, "a group", GROUP_KEYS);
  const name = reader.text(fields.get("name"), "name") ?? "";
  if (name === "") reader.report(node, "a group needs a name");
  const labels = readLabels(reader, fields.get("labels"));
  const group = {
    name,
    intervalMs: readDuration(reader, fields, "interval"),
    queryOffsetMs: readDuration(reader, fields, "query_offset"),
    limit: readLimit(reader, fields.get("limit")),
    rules: reader.items(fields.get("rules"), "rules").flatMap((each) => readRule(reader, each, labels)),
  };
  if (group.intervalMs === 0) reader.report(fields.get("interval") ?? node, "interval: expected more than 0");
  return { group, node };
}

function readRule(reader: YamlReader, node: Node, ofGroup: Record<string, string>): Rule[] {
  const fields = reader.fields(node, "a rule", RULE_KEYS);
  const record = reader.text(fields.get("record"), "record");
  const alert = reader.text(fields.get("alert"), "alert");
  const query = readQuery(reader, node, fields);
  const labels = { ...ofGroup, ...readLabels(reader, fields.get("labels")) };
  const line = reader.lineOf(node);
  if ((record === null) === (alert === null)) {
    reader.report(node, "a rule has either record or alert");
    return [];
  }
  if (record !== null) {
    for (const key of ["for", "keep_firing_for", "annotations"])
      if (fields.has(key)) reader.report(fields.get(key) ?? node, `${key} belongs to alerts, not to record`);
    if (record === "" || /[{}]/.test(record))
      reader.report(fields.get("record") ?? node, `record: ${JSON.stringify(record)} is no name of a metric`);
    return [{ kind: "recording", name: record, query, labels, line }];
  }
  const forMs = readDuration(reader, fields, "for") ?? 0;
  const keepFiringMs = readDuration(reader, fields, "keep_firing_for") ?? 0;
  const annotations = reader.texts(fields.get("annotations"), "annotations");
  return [{ kind: "alerting", name: alert ?? "", query, labels, line, forMs, keepFiringMs, annotations }];
}

function readQuery(reader: YamlReader, rule: Node, fields: Map<string, Node>): string {
  const node = fields.get("expr");
  const query = reader.text(node, "expr") ?? "";
  if (query.trim() === "") {
    reader.report(node ?? rule, "a rule needs an expr");
    return "";
  }
  try {
    const type = typeOf(parse(query));
    if (type !== "vector" && type !== "scalar")
      reader.report(node ?? rule, `expr: expected numbers of one moment, and it yields a ${type}`);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    reader.report(node ?? rule, `expr: ${error.message}`);
  }
  return query;
}

function readLabels(reader: YamlReader, node: Node | undefined): Record<string, string> {
  const labels = reader.texts(node, "labels");
  for (const name of Object.keys(labels)) {
    if ((name === "" || name === METRIC_NAME) && node)
      reader.report(node, `labels: ${JSON.stringify(name)} is no name of a label`);
  }
  return labels;
}

function readDuration(reader: YamlReader, fields: Map<string, Node>, key: string): number | null {
  const node = fields.get(key);
  const text = reader.text(node, key);
  if (text === null) return null;
  const durationMs = text === "0" ? 0 : parseDurationMs(text);
  if (durationMs === null && node) reader.report(node, `${key}: expected a duration such as 1m or 1h30m`);
  return durationMs;
}

function readLimit(reader: YamlReader, node: Node | undefined): number {
  const text = reader.text(node, "limit");
  if (text === null) return 0;
  if (/^\d+$/.test(text)) return Number(text);
  if (node) reader.report(node, "limit: expected a whole number; 0 is no limit");
  return 0;
}
