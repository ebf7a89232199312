import type { GateKeeper } from "../../core/changes/index.ts";
import { askStore, type AskDependencies } from "./ask-store.ts";
import { createComparisons, type Comparisons } from "./comparisons.ts";
import { variablesOf } from "./variables.ts";

/** Asks the metrics store what the gates of changes want to know; counts go on to the judge. */
export function createGateKeeper(
  dependencies: AskDependencies,
): GateKeeper & { comparisons: Pick<Comparisons, "blocks"> } {
  const comparisons = createComparisons(dependencies);
  return {
    comparisons,
    ask(change, { name, question }) {
      if (question.kind === "comparison") return comparisons.ask(change, name, question);
      const atMs = dependencies.clock.now().getTime();
      return askStore(dependencies, { template: question.query, variables: variablesOf(change), atMs });
    },
  };
}
