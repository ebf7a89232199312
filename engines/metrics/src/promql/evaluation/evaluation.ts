import type { Series } from "../../storage.ts";
import type { Annotations } from "./annotations.ts";
import type { EvaluationBudget } from "./budget.ts";
import type { Plan, SelectorPlan } from "./plan.ts";
import type { Column, Grid, Value } from "./values.ts";

/** What every part of an evaluation has at hand. */
export interface Evaluation {
  readonly lookbackMs: number;
  readonly annotations: Annotations;
  readonly budget: EvaluationBudget;
  /** The whole query covers several moments; sorting means nothing then. */
  readonly isRange: boolean;
  seriesOf(selector: SelectorPlan): readonly Series[];
  evaluate(plan: Plan, grid: Grid): Value;
  /**
   * The columns of a vector one after the other: each holds until the next is asked for. Who adds them up
   * spares the memory of all of them.
   */
  inTurn(plan: Plan, grid: Grid): Iterable<Column>;
}
