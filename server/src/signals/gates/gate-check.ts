import { AppError } from "@mainstay/api";
import type { PlannedGate } from "@mainstay/rollout";
import { findingOf, type ChangeView, type Check, type Finding } from "../../core/changes/index.ts";
import { problemOfCount, problemOfThreshold } from "./query-problems.ts";

/** Whether the gates of a change can be asked: what is no PromQL is told before anything starts. */
export function createGateCheck(): Check {
  return {
    name: "gates",
    async find(change) {
      const gates = [
        ...(change.plan.gates ?? []),
        ...change.plan.stages.flatMap((stage) => stage.gates ?? []),
      ];
      const found = await Promise.all(gates.map((gate) => findIn(change, gate)));
      return found.flat();
    },
  };
}

async function findIn(change: ChangeView, { name, question }: PlannedGate): Promise<Finding[]> {
  if (question.kind === "threshold") {
    const reason = await problemOfThreshold(question.query, change);
    return reason === null ? [] : [refuse({ gate: name, query: "the query", reason })];
  }
  const found = (["bad", "total"] as const).map(async (query) => {
    const reason = await problemOfCount(question[query], change);
    return reason === null ? [] : [refuse({ gate: name, query, reason })];
  });
  return (await Promise.all(found)).flat();
}

function refuse(words: { gate: string; query: string; reason: string }): Finding {
  return findingOf(new AppError("PREFLIGHT_GATE", words));
}
