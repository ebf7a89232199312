import { z } from "zod";
import { duration, durationWithin } from "./unit-schemas.ts";

/**
 * Questions about metrics that a stage, or the whole rollout, must answer well; a part of `mainstay.yaml`.
 */

/** PromQL; the store's own limit is 64 KiB. */
const query = () => z.string().trim().min(1, "expected a query in PromQL").max(10_000);

const bound = () => z.number("expected a number");

const HOUR_MS = 3_600_000;

const comparison = z.strictObject({
  bad: query().describe("How many went wrong so far: one counter of the release $release, of the arm $arm."),
  total: query().describe("How many there were so far, those among them."),
});

const gate = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,62}$/, "expected a name in lower case, such as checkout-latency")
      .describe("The name it goes by in the timeline; each of a file has its own."),
    query: query()
      .optional()
      .describe(
        "What is asked, in PromQL; of several values the worst counts. $service, $candidate … are filled in.",
      ),
    max: bound().optional().describe("The highest value that is well."),
    min: bound().optional().describe("The lowest value that is well."),
    compare: comparison
      .optional()
      .describe("Instead of query: counts of both releases, compared by the judge as part of its alpha."),
    noData: z
      .enum(["hold", "fail", "ignore"])
      .default("hold")
      .describe(
        "Without an answer the stage holds; fail: after a minute the change is undone; ignore: it goes on.",
      ),
    for: duration().prefault("0s").describe("For how long it must fail before the change is undone."),
    interval: durationWithin(1000, HOUR_MS).prefault("10s").describe("How often it is asked."),
  })
  .superRefine((value, context) => {
    const report = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    const { query: asked, max, min, compare } = value;
    if ((asked === undefined) === (compare === undefined))
      report("query", "expected either query with max or min, or compare: { bad, total }");
    else if (asked !== undefined && max === undefined && min === undefined)
      report("max", "expected max or min: what is well");
    else if (compare !== undefined && (max !== undefined || min !== undefined || value.for > 0))
      report("compare", "expected neither max, min nor for: the judge decides how much worse is too much");
    else if (max !== undefined && min !== undefined && min > max) report("min", "expected no more than max");
  });

export const gateList = z.array(gate).max(20);
export type Gate = z.output<typeof gate>;
