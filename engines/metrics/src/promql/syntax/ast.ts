import type { Matcher } from "../../storage.ts";

/** Offsets into the query, in UTF-16 units, the end excluded. */
export interface Position {
  readonly start: number;
  readonly end: number;
}

export type ValueType = "scalar" | "string" | "vector" | "matrix";

interface Node {
  readonly position: Position;
}

/** A duration stands as seconds, and remembers that it was written as one. */
export interface NumberLiteral extends Node {
  readonly kind: "number";
  readonly value: number;
  readonly isDuration: boolean;
}

export interface StringLiteral extends Node {
  readonly kind: "string";
  readonly value: string;
}

export type DurationOperator = "+" | "-" | "*" | "/" | "%" | "^" | "min_of" | "max_of" | "step" | "range";

/**
 * A duration that is computed when the query runs; unary
 * operators have no left side, step() and range() no side.
 */
export interface DurationExpr extends Node {
  readonly kind: "duration";
  readonly operator: DurationOperator;
  readonly left: Duration | null;
  readonly right: Duration | null;
  readonly isWrapped: boolean;
}

export type Duration = NumberLiteral | DurationExpr;

/** `@`: a moment in milliseconds, or an end of the query. */
export type At = number | "start" | "end";

/** What may follow a selector or a subquery. */
export interface Shift {
  readonly offset: Duration | null;
  readonly at: At | null;
}

export interface VectorSelector extends Node, Shift {
  readonly kind: "selector";
  /** The name before the braces, else "". The matchers include it, as the last. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
  readonly extension: "anchored" | "smoothed" | null;
}

export interface MatrixSelector extends Node {
  readonly kind: "matrix";
  readonly selector: VectorSelector;
  readonly range: Duration;
}

export interface Subquery extends Node, Shift {
  readonly kind: "subquery";
  readonly expr: Expr;
  readonly range: Duration;
  readonly step: Duration | null;
}

export interface Call extends Node {
  readonly kind: "call";
  readonly name: string;
  readonly args: readonly Expr[];
}

export type AggregateOperator =
  | "sum"
  | "avg"
  | "count"
  | "min"
  | "max"
  | "group"
  | "stddev"
  | "stdvar"
  | "topk"
  | "bottomk"
  | "count_values"
  | "quantile"
  | "limitk"
  | "limit_ratio";

export interface Aggregate extends Node {
  readonly kind: "aggregate";
  readonly operator: AggregateOperator;
  readonly expr: Expr;
  readonly parameter: Expr | null;
  readonly grouping: readonly string[];
  readonly isWithout: boolean;
}

export type ArithmeticOperator = "+" | "-" | "*" | "/" | "%" | "^" | "atan2" | "</" | ">/";
export type ComparisonOperator = "==" | "!=" | "<" | ">" | "<=" | ">=";
export type SetOperator = "and" | "or" | "unless";
export type BinaryOperator = ArithmeticOperator | ComparisonOperator | SetOperator;

export type Cardinality = "one-to-one" | "many-to-one" | "one-to-many" | "many-to-many";

export interface VectorMatching {
  readonly cardinality: Cardinality;
  readonly isOn: boolean;
  readonly labels: readonly string[];
  readonly include: readonly string[];
  readonly fillLeft: number | null;
  readonly fillRight: number | null;
}

export interface Binary extends Node {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expr;
  readonly right: Expr;
  readonly returnsBool: boolean;
  /** Null unless both sides are instant vectors. */
  readonly matching: VectorMatching | null;
}

export interface Unary extends Node {
  readonly kind: "unary";
  readonly operator: "+" | "-";
  readonly expr: Expr;
}

export interface Paren extends Node {
  readonly kind: "paren";
  readonly expr: Expr;
}

export type Expr =
  | NumberLiteral
  | StringLiteral
  | VectorSelector
  | MatrixSelector
  | Subquery
  | Call
  | Aggregate
  | Binary
  | Unary
  | Paren;

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", ">", "<=", ">="]);
const SETS: ReadonlySet<string> = new Set(["and", "or", "unless"]);

export function isComparison(operator: BinaryOperator): operator is ComparisonOperator {
  return COMPARISONS.has(operator);
}

export function isSetOperator(operator: BinaryOperator): operator is SetOperator {
  return SETS.has(operator);
}

/** What parentheses hold, however many there are. */
export function unwrap(expr: Expr): Expr {
  return expr.kind === "paren" ? unwrap(expr.expr) : expr;
}
