import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";

export interface ComplianceQuery {
  query: string;
  /** Both have to refuse it. */
  mustFail: boolean;
}

const BINARY = { arith: ["+", "-", "*", "/", "%", "^"], compare: ["==", "!=", "<", ">", "<=", ">="] };

/** What the placeholders of the templates stand for. (prometheus/compliance, promql/testcases) */
const VARIANTS: Record<string, string[]> = {
  range: ["1s", "15s", "1m", "5m", "15m", "1h"],
  offset: ["1m", "5m", "10m"],
  simpleAggrOp: ["sum", "avg", "max", "min", "count", "stddev", "stdvar"],
  simpleTimeAggrOp: ["sum", "avg", "max", "min", "count", "stddev", "stdvar", "absent", "last"],
  topBottomOp: ["topk", "bottomk"],
  quantile: ["-0.5", "0.1", "0.5", "0.75", "0.95", "0.90", "0.99", "1", "1.5"],
  arithBinOp: BINARY.arith,
  compBinOp: BINARY.compare,
  binOp: [...BINARY.arith, ...BINARY.compare],
  simpleMathFunc: ["abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "round"],
  extrapolatedRateFunc: ["delta", "rate", "increase"],
  clampFunc: ["clamp_min", "clamp_max"],
  instantRateFunc: ["idelta", "irate"],
  dateFunc: ["day_of_month", "day_of_week", "days_in_month", "hour", "minute", "month", "year"],
};

const templates = z.object({
  test_cases: z.array(
    z.object({
      query: z.coerce.string(),
      variant_args: z.array(z.string()).default([]),
      should_fail: z.boolean().default(false),
    }),
  ),
});

/** All queries of a file of templates, each placeholder replaced by each of its variants. */
export async function readQueries(path: string): Promise<ComplianceQuery[]> {
  const { test_cases: cases } = templates.parse(parse(await readFile(path, "utf8")));
  return cases.flatMap(({ query, variant_args: args, should_fail: mustFail }) =>
    args.reduce(expand, [query]).map((each) => ({ query: each, mustFail })),
  );
}

function expand(queries: string[], name: string): string[] {
  const variants = VARIANTS[name];
  if (!variants) throw new Error(`nobody knows what {{.${name}}} stands for`);
  return queries.flatMap((query) => variants.map((each) => query.replaceAll(`{{.${name}}}`, each)));
}
