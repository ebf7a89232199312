import { AppError } from "@mainstay/api";
import type { PlannedGate } from "@mainstay/rollout";
import { findingOf, type ChangeView, type Check, type Finding } from "../../core/changes/index.ts";
import { fillQuery, type Variables } from "./fill-query.ts";
import { variablesOf, variablesOfArm } from "./variables.ts";

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
    const reason = await problemOf(question.query, variablesOf(change));
    return reason === null ? [] : [refuse({ gate: name, query: "the query", reason })];
  }
  const found = (["bad", "total"] as const).map(async (query) => {
    const reason = await problemOfCount(question[query], change);
    return reason === null ? [] : [refuse({ gate: name, query, reason })];
  });
  return (await Promise.all(found)).flat();
}

async function problemOfCount(query: string, change: ChangeView): Promise<string | null> {
  const [ofStable, ofCandidate] = [variablesOfArm(change, "stable"), variablesOfArm(change, "candidate")];
  const problem = await problemOf(query, ofCandidate);
  if (problem !== null) return problem;
  const isSame = JSON.stringify(fillQuery(query, ofStable)) === JSON.stringify(fillQuery(query, ofCandidate));
  return isSame
    ? "it names neither $release nor $arm, so that both releases would have the same count"
    : null;
}

/** Why the store would not answer it; null when it would. */
async function problemOf(template: string, variables: Variables): Promise<string | null> {
  const filled = fillQuery(template, variables);
  if ("unknown" in filled) {
    const known = Object.keys(variables).map((each) => `$${each}`);
    return `${filled.unknown} is none of the variables ${known.join(", ")}; a dollar itself is $$`;
  }
  const { parseQuery, ParseError, queryTypeOf } = await import("@mainstay/metrics");
  try {
    const type = queryTypeOf(parseQuery(filled.query));
    return type === "scalar" || type === "vector"
      ? null
      : `it yields a ${NAMES[type]}, not numbers of one moment`;
  } catch (error) {
    if (error instanceof ParseError) return `${error.message}, in: ${filled.query}`;
    throw error;
  }
}

const NAMES = { string: "text", matrix: "range of samples" };

function refuse(words: { gate: string; query: string; reason: string }): Finding {
  return findingOf(new AppError("PREFLIGHT_GATE", words));
}
