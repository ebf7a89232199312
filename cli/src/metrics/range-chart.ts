import type { Context } from "../context.ts";
import { drawChart, type ChartSeries } from "./chart.ts";
import { seriesWords, type ResultData } from "./result-words.ts";

const CHART_WIDTH = 80;

export interface RangeChartOptions {
  stepMs: number;
  /** In lines. */
  height: number;
  /** How a series is called below the chart; as in PromQL when left out. */
  label?: (metric: Record<string, string>) => string;
}

/** The answer to a range query, drawn as wide as the terminal; empty when nothing was found. */
export function rangeChart(context: Context, data: ResultData, options: RangeChartOptions): string {
  const { isTerminal } = context;
  const width = isTerminal ? (process.stdout.columns ?? CHART_WIDTH) : CHART_WIDTH;
  const hasColours = isTerminal && process.env["NO_COLOR"] === undefined;
  return drawChart(seriesOf(data, options), { width, height: options.height, hasColours });
}

/** With a gap wherever a step has no sample. */
function seriesOf(data: ResultData, { stepMs, label = seriesWords }: RangeChartOptions): ChartSeries[] {
  if (data.resultType !== "matrix") return [];
  return data.result.map(({ metric, values = [] }) => {
    const points = values.flatMap(([timeS, value], index): [number, number][] => {
      const before = values[index - 1]?.[0] ?? timeS;
      const isGap = timeS - before > (1.5 * stepMs) / 1000;
      const point: [number, number] = [timeS, numberOf(value)];
      return isGap ? [[before, NaN], point] : [point];
    });
    return { label: label(metric), points };
  });
}

function numberOf(value: string): number {
  return value === "+Inf" ? Infinity : value === "-Inf" ? -Infinity : Number(value);
}
