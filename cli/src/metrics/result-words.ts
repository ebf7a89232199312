import { table } from "../output/table.ts";

type Point = readonly [timeS: number, value: string];

/** An answer of the HTTP API; native histograms are shown by their counts. */
export type ResultData =
  | { resultType: "scalar"; result: Point }
  | { resultType: "string"; result: Point }
  | { resultType: "vector"; result: readonly { metric: Labels; value?: Point; histogram?: Native }[] }
  | { resultType: "matrix"; result: readonly { metric: Labels; values?: readonly Point[] }[] };

type Labels = Record<string, string>;
type Native = readonly [timeS: number, histogram: { count: string; sum: string }];

/** An answer for one moment as a table. */
export function resultWords(data: ResultData): string {
  if (data.resultType === "scalar" || data.resultType === "string") return data.result[1];
  if (data.result.length === 0) return "Nothing was found.";
  if (data.resultType === "matrix") {
    const lines = data.result.flatMap(({ metric, values = [] }) => [
      seriesWords(metric),
      ...values.map(([timeS, value]) => `  ${timeWords(timeS)}  ${value}`),
    ]);
    return lines.join("\n");
  }
  const rows = data.result.map(({ metric, value, histogram }) => [
    value?.[1] ?? `count ${histogram?.[1].count}, sum ${histogram?.[1].sum}`,
    seriesWords(metric),
  ]);
  return table(["VALUE", "SERIES"], rows);
}

/** name{label="value"} */
export function seriesWords(metric: Labels): string {
  const { __name__: name = "", ...labels } = metric;
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 && name !== "" ? name : `${name}{${pairs.join(", ")}}`;
}

function timeWords(timeS: number): string {
  return new Date(timeS * 1000).toISOString();
}
