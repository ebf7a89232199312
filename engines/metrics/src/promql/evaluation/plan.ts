import type { Matcher } from "../../storage.ts";
import type { Aggregate, Binary, Position, Unary } from "../syntax/ast.ts";

interface Step {
  readonly position: Position;
}

/** Where in time a selector or a subquery looks: `@` and offset, in milliseconds. */
export interface Look {
  readonly offsetMs: number;
  readonly atMs: number | null;
}

export interface SelectorPlan extends Step, Look {
  readonly kind: "selector";
  readonly matchers: readonly Matcher[];
  readonly extension: "anchored" | "smoothed" | null;
}

export interface MatrixPlan extends Step {
  readonly kind: "matrix";
  readonly selector: SelectorPlan;
  readonly rangeMs: number;
}

export interface SubqueryPlan extends Step, Look {
  readonly kind: "subquery";
  readonly expr: Plan;
  readonly rangeMs: number;
  readonly stepMs: number;
}

export interface CallPlan extends Step {
  readonly kind: "call";
  readonly name: string;
  readonly args: readonly Plan[];
}

export interface AggregatePlan extends Step {
  readonly kind: "aggregate";
  readonly operator: Aggregate["operator"];
  readonly expr: Plan;
  readonly parameter: Plan | null;
  readonly grouping: readonly string[];
  readonly isWithout: boolean;
}

export interface BinaryPlan extends Step {
  readonly kind: "binary";
  readonly operator: Binary["operator"];
  readonly left: Plan;
  readonly right: Plan;
  readonly returnsBool: boolean;
  readonly matching: Binary["matching"];
}

export interface UnaryPlan extends Step {
  readonly kind: "unary";
  readonly operator: Unary["operator"];
  readonly expr: Plan;
}

/** An expression that is the same at every step: evaluated once. */
export interface InvariantPlan extends Step {
  readonly kind: "invariant";
  readonly expr: Plan;
}

/** A query as it is evaluated: durations and ends of the query are numbers, parentheses are gone. */
export type Plan =
  | { readonly kind: "number"; readonly value: number; readonly position: Position }
  | { readonly kind: "string"; readonly value: string; readonly position: Position }
  | SelectorPlan
  | MatrixPlan
  | SubqueryPlan
  | CallPlan
  | AggregatePlan
  | BinaryPlan
  | UnaryPlan
  | InvariantPlan;
