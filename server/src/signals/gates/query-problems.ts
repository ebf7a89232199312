import { fillQuery, type Variables } from "./fill-query.ts";
import { variablesOf, variablesOfArm, type Asked } from "./variables.ts";

/** Why the query of a threshold could not be asked; null when it can. */
export function problemOfThreshold(query: string, asked: Asked): Promise<string | null> {
  return problemOf(query, variablesOf(asked));
}

/** The same, of a count that is asked of each release. */
export async function problemOfCount(query: string, asked: Asked): Promise<string | null> {
  const [ofStable, ofCandidate] = [variablesOfArm(asked, "stable"), variablesOfArm(asked, "candidate")];
  const problem = await problemOf(query, ofCandidate);
  if (problem !== null) return problem;
  const isSame = JSON.stringify(fillQuery(query, ofStable)) === JSON.stringify(fillQuery(query, ofCandidate));
  return isSame
    ? "it names neither $release nor $arm, so that both releases would have the same count"
    : null;
}

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
