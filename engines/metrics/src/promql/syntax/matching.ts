import type { SyntaxNode } from "@lezer/common";
import type { VectorMatching } from "./ast.ts";
import { unquote } from "./literals.ts";
import { parseLiteral, type Source } from "./source.ts";
import { childrenOf } from "./tokens.ts";

interface Modifiers {
  returnsBool: boolean;
  matching: VectorMatching;
}

const PLAIN: VectorMatching = {
  cardinality: "one-to-one",
  isOn: false,
  labels: [],
  include: [],
  fillLeft: null,
  fillRight: null,
};

/** What stands between an operator and its right side: bool, on, ignoring, group_left, group_right, fill. */
export function parseMatching(modifiers: readonly SyntaxNode[], source: Source): Modifiers {
  let returnsBool = false;
  let matching = PLAIN;
  for (const node of modifiers) {
    if (node.name === "BoolModifier") returnsBool = true;
    if (node.name === "MatchingModifierClause") matching = { ...matching, ...parseClause(node, source) };
    if (node.name === "FillModifier") matching = { ...matching, ...parseFill(node, source) };
  }
  return { returnsBool, matching };
}

function parseClause(node: SyntaxNode, source: Source): Partial<VectorMatching> {
  const [kind, labels, group, include] = childrenOf(node);
  return {
    isOn: kind?.name === "On",
    labels: labels === undefined ? [] : parseGrouping(labels, source),
    cardinality:
      group === undefined ? "one-to-one" : group.name === "GroupLeft" ? "many-to-one" : "one-to-many",
    include: include === undefined ? [] : parseGrouping(include, source),
  };
}

function parseFill(node: SyntaxNode, source: Source): Partial<VectorMatching> {
  const fills: { fillLeft?: number; fillRight?: number } = {};
  for (const clause of childrenOf(node)) {
    const literal = clause.getChild("NumberDurationLiteral");
    if (literal === null) continue;
    const value = parseSigned(literal, source);
    if (clause.name !== "FillRightClause") fills.fillLeft = value;
    if (clause.name !== "FillLeftClause") fills.fillRight = value;
  }
  return fills;
}

/** A number with its sign. */
export function parseSigned(node: SyntaxNode, source: Source): number {
  const text = source.text(node);
  const unsigned = text.replace(/^[+-]\s*/, "");
  const { value } = parseLiteral(source, { text: unsigned, start: node.from, end: node.to });
  return text.startsWith("-") ? -value : value;
}

/** The names between the parentheses of by, without, on, ignoring and group_left. */
export function parseGrouping(node: SyntaxNode, source: Source): string[] {
  return childrenOf(node).map((child) => {
    const text = source.text(child);
    if (child.name !== "QuotedLabelName") return text;
    const position = { start: child.from, end: child.to };
    const name = unquote(text);
    if (name === null || name === "")
      return source.fail(position, `invalid label name for grouping: ${text}`);
    return name;
  });
}
