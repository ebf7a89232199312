import { z } from "zod";

/** Relative, as the original tester allows. */
const TOLERANCE = 1e-5;

const answer = z.union([
  z.object({
    status: z.literal("success"),
    data: z.object({
      resultType: z.string(),
      result: z.array(
        z.object({
          metric: z.record(z.string(), z.string()),
          values: z.array(z.tuple([z.number(), z.string()])),
        }),
      ),
    }),
  }),
  z.object({ status: z.literal("error"), error: z.string() }),
]);
export type Answer = z.infer<typeof answer>;

/** An answer to `query_range`, as the HTTP API of Prometheus has it. */
export function readAnswer(document: unknown): Answer {
  return answer.parse(document);
}

/** What the second says that the first does not; null when they agree. */
export function difference(expected: Answer, actual: Answer): string | null {
  if (expected.status === "error" || actual.status === "error") return differenceOfErrors(expected, actual);
  const wanted = bySeries(expected);
  const got = bySeries(actual);
  const missing = [...wanted.keys()].find((each) => !got.has(each));
  if (missing !== undefined) return `${missing} is missing`;
  const added = [...got.keys()].find((each) => !wanted.has(each));
  if (added !== undefined) return `${added} is too many`;
  for (const [name, values] of wanted) {
    const problem = differenceOfValues(values, got.get(name) ?? []);
    if (problem !== null) return `${name}: ${problem}`;
  }
  return null;
}

function differenceOfErrors(expected: Answer, actual: Answer): string | null {
  if (expected.status === actual.status) return null;
  return expected.status === "error"
    ? `answered where it should have failed: ${expected.error}`
    : `failed: ${actual.status === "error" ? actual.error : ""}`;
}

type Points = [seconds: number, value: string][];

function bySeries(given: Answer): Map<string, Points> {
  if (given.status === "error") return new Map();
  return new Map(
    given.data.result.map(({ metric, values }) => {
      const labels = Object.entries(metric).toSorted(([a], [b]) => (a < b ? -1 : 1));
      return [JSON.stringify(Object.fromEntries(labels)), values];
    }),
  );
}

function differenceOfValues(expected: Points, actual: Points): string | null {
  if (expected.length !== actual.length) return `${actual.length} points instead of ${expected.length}`;
  for (const [index, [seconds, value]] of expected.entries()) {
    const [otherSeconds, other] = actual[index] ?? [NaN, ""];
    if (seconds !== otherSeconds) return `a point at ${otherSeconds} instead of ${seconds}`;
    if (!isSame(Number(value.replace("Inf", "Infinity")), Number(other.replace("Inf", "Infinity"))))
      return `${other} at ${seconds} instead of ${value}`;
  }
  return null;
}

function isSame(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= TOLERANCE * Math.min(Math.abs(a), Math.abs(b));
}
