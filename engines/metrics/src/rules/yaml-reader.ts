import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from "yaml";
import type { RuleProblem } from "./rule-file.ts";

/** Reads a document of YAML value by value; what is not as it should be is reported with its place. */
export interface YamlReader {
  root: Node | null;
  report(node: Node | null, message: string): void;
  lineOf(node: Node | null): number;
  /** The entries of a map whose keys are known; others are reported. */
  fields(node: Node | null, where: string, known: readonly string[]): Map<string, Node>;
  /** Text for text, of any keys. */
  texts(node: Node | undefined, where: string): Record<string, string>;
  text(node: Node | undefined, where: string): string | null;
  items(node: Node | undefined, where: string): Node[];
}

export function createYamlReader(text: string, problems: RuleProblem[]): YamlReader {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: "error" });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  for (const { pos, message } of document.errors) problems.push({ ...at(pos[0]), message });

  function report(node: Node | null, message: string): void {
    problems.push({ ...at(node?.range?.[0] ?? 0), message });
  }

  function pairsOf(node: Node | null, where: string): [string, Node, Node | null][] {
    if (!isMap(node)) {
      if (node !== null) report(node, `${where}: expected keys with values`);
      return [];
    }
    return entriesOf(node);
  }

  function fields(node: Node | null, where: string, known: readonly string[]): Map<string, Node> {
    const found = new Map<string, Node>();
    for (const [key, keyNode, value] of pairsOf(node, where)) {
      if (!known.includes(key)) report(keyNode, `${where}: unknown key ${key}; expected ${known.join(", ")}`);
      else if (value !== null && !(isScalar(value) && value.value === null)) found.set(key, value);
    }
    return found;
  }

  function readText(node: Node | undefined, where: string): string | null {
    if (node === undefined) return null;
    if (isScalar(node) && node.value !== null)
      return typeof node.value === "string" ? node.value : String(node.source);
    report(node, `${where}: expected text`);
    return null;
  }

  return {
    root: document.errors.length > 0 ? null : document.contents,
    report,
    lineOf: (node) => at(node?.range?.[0] ?? 0).line,
    fields,
    texts(node, where) {
      if (node === undefined) return {};
      const read: Record<string, string> = {};
      for (const [key, , value] of pairsOf(node, where))
        read[key] = readText(value ?? undefined, where) ?? "";
      return read;
    },
    text: readText,
    items(node, where) {
      if (node === undefined) return [];
      if (isSeq<Node>(node)) return node.items;
      report(node, `${where}: expected a list`);
      return [];
    },
  };
}

function entriesOf(map: YAMLMap): [string, Node, Node | null][] {
  return map.items.map(({ key, value }) => {
    const keyNode = isNode(key) ? key : map;
    return [isScalar(key) ? String(key.value) : "", keyNode, isNode(value) ? value : null];
  });
}
