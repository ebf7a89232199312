import { Visitor, type ArrowFunctionExpression, type Function as FunctionNode } from "oxc-parser";
import type { Finding } from "./finding.ts";
import { isProductPath } from "./place.ts";
import type { Repository } from "./repository.ts";
import { lineAt, type Source } from "./source.ts";

interface Limits {
  fileLines: number;
  functionLines: number;
  parameters: number;
  nesting: number;
}

export const LINE_COLUMNS = 110;
const PRODUCT: Limits = { fileLines: 400, functionLines: 70, parameters: 3, nesting: 3 };
/** Tests, benchmarks and tools tell longer stories. */
const TOOLING: Limits = { fileLines: 600, functionLines: 120, parameters: 4, nesting: 4 };

/** Files, functions, parameter lists, nesting and lines stay small enough to be read at a glance. */
export function checkSizes(repository: Repository): Finding[] {
  return repository.sources.flatMap((source) => {
    const limits = isProductPath(source.path) ? PRODUCT : TOOLING;
    return [...checkFile(source, limits), ...checkLines(source), ...checkFunctions(source, limits)];
  });
}

function checkFile(source: Source, limits: Limits): Finding[] {
  const lines = source.text.trimEnd().split("\n").length;
  if (lines <= limits.fileLines) return [];
  return [finding(source, 1, `${lines} lines (at most ${limits.fileLines}): are there two rooms in one?`)];
}

/** A text or an address that cannot be broken may stick out. */
function checkLines(source: Source): Finding[] {
  const unbreakable = linesWithLongText(source);
  return source.lines.flatMap((text, index) => {
    if (text.length <= LINE_COLUMNS || unbreakable.has(index + 1) || /https?:\/\/\S+$/.test(text)) return [];
    return [finding(source, index + 1, `${text.length} columns (at most ${LINE_COLUMNS})`)];
  });
}

/** Lines on which one string, template or regular expression reaches past the last column. */
function linesWithLongText(source: Source): Set<number> {
  const lines = new Set<number>();
  const add = (node: { start: number; end: number }) => {
    const text = source.text.slice(node.start, node.end);
    const column = node.start - source.text.lastIndexOf("\n", node.start - 1) - 1;
    if (!text.includes("\n") && column + text.length > LINE_COLUMNS - 3)
      lines.add(lineAt(source, node.start));
  };
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === "string" || "regex" in node) add(node);
    },
    TemplateLiteral: add,
  }).visit(source.program);
  return lines;
}

interface OpenFunction {
  name: string;
  line: number;
  parameters: number;
  /** Lines of functions inside it, which count for themselves. */
  innerLines: number;
  depth: number;
  deepest: number;
}

function checkFunctions(source: Source, limits: Limits): Finding[] {
  const findings: Finding[] = [];
  const open: OpenFunction[] = [];
  const enter = (node: FunctionNode | ArrowFunctionExpression) => open.push(openFunction(source, node));
  const leave = (node: FunctionNode | ArrowFunctionExpression) => {
    const lines = countLines(source, node);
    const closed = open.pop();
    if (closed) findings.push(...judgeFunction(source, closed, lines - closed.innerLines, limits));
    const outer = open.at(-1);
    if (outer) outer.innerLines += lines - 1;
  };
  new Visitor({
    FunctionDeclaration: enter,
    "FunctionDeclaration:exit": leave,
    FunctionExpression: enter,
    "FunctionExpression:exit": leave,
    ArrowFunctionExpression: enter,
    "ArrowFunctionExpression:exit": leave,
    ...nestingVisitor(source, open),
  }).visit(source.program);
  return findings;
}

function judgeFunction(source: Source, closed: OpenFunction, lines: number, limits: Limits): Finding[] {
  const { name, line, parameters, deepest } = closed;
  const findings: Finding[] = [];
  if (lines > limits.functionLines) {
    findings.push(
      finding(source, line, `${name} has ${lines} lines of its own (at most ${limits.functionLines})`),
    );
  }
  if (parameters > limits.parameters) {
    const advice = `(at most ${limits.parameters}): name them in an object`;
    findings.push(finding(source, line, `${name} takes ${parameters} parameters by position ${advice}`));
  }
  if (deepest > limits.nesting) {
    const advice = `(at most ${limits.nesting}): return early, or name the inner part`;
    findings.push(finding(source, line, `${name} nests ${deepest} deep ${advice}`));
  }
  return findings;
}

/** Blocks that a reader has to keep in mind; `else if` goes on at the depth of its `if`. */
function nestingVisitor(source: Source, open: OpenFunction[]) {
  const deeper = () => {
    const current = open.at(-1);
    if (current) current.deepest = Math.max(current.deepest, ++current.depth);
  };
  const back = () => {
    const current = open.at(-1);
    if (current) current.depth -= 1;
  };
  const isElseIf = (node: { start: number }) =>
    /\belse\s+$/.test(source.text.slice(0, node.start).slice(-40));
  const kinds = [
    "ForStatement",
    "ForInStatement",
    "ForOfStatement",
    "WhileStatement",
    "DoWhileStatement",
  ] as const;
  const blocks = [...kinds, "SwitchStatement", "TryStatement"] as const;
  return {
    ...Object.fromEntries(
      blocks.flatMap((kind) => [
        [kind, deeper],
        [`${kind}:exit`, back],
      ]),
    ),
    IfStatement: (node: { start: number }) => (isElseIf(node) ? undefined : deeper()),
    "IfStatement:exit": (node: { start: number }) => (isElseIf(node) ? undefined : back()),
  };
}

function openFunction(source: Source, node: FunctionNode | ArrowFunctionExpression): OpenFunction {
  return {
    name: nameOf(source, node),
    line: lineAt(source, node.start),
    parameters: node.params.filter((each) => !(each.type === "Identifier" && each.name === "this")).length,
    innerLines: 0,
    depth: 0,
    deepest: 0,
  };
}

/** The name it was given where it is declared, as a method or as a constant; else where it stands. */
function nameOf(source: Source, node: FunctionNode | ArrowFunctionExpression): string {
  if (node.id) return node.id.name;
  const before = source.text.slice(Math.max(0, node.start - 200), node.start);
  return /([\w$]+)\s*(?:[:=]\s*)?(?:async\s*)?$/.exec(before)?.[1] ?? "a function";
}

function countLines(source: Source, node: { start: number; end: number }): number {
  return lineAt(source, node.end) - lineAt(source, node.start) + 1;
}

function finding(source: Source, line: number, message: string): Finding {
  return { rule: "size", path: source.path, line, message };
}
