/** What dashboards and rules ask, from narrow to wide, over the last hour of the workload. */
export interface BenchQuery {
  name: string;
  query: string;
  /** Without it the query is an instant one. */
  range?: { seconds: number; stepSeconds: number };
}

const HOUR = { seconds: 3_600, stepSeconds: 15 };
const COARSE = { seconds: 3_600, stepSeconds: 300 };
const BUCKETS = "http_request_duration_seconds_bucket";

export const QUERIES: BenchQuery[] = [
  { name: "instant, one series by instance", query: "count by (instance) (constant_0_total)" },
  { name: "instant, sum of rates of 30 % of the series", query: `sum by (job) (rate(${BUCKETS}[5m]))` },
  {
    name: "range, rate of one series",
    query: 'rate(counter_0_total{instance="10.0.0.0:9100",mode="mode-0"}[5m])',
    range: HOUR,
  },
  { name: "range, sum by job of 2 %", query: "sum by (job) (rate(counter_0_total[5m]))", range: HOUR },
  { name: "range, sum by job of 30 %", query: `sum by (job) (rate(${BUCKETS}[5m]))`, range: HOUR },
  {
    name: "range, quantile of 30 %",
    query: `histogram_quantile(0.9, sum by (le, route) (rate(${BUCKETS}[5m])))`,
    range: HOUR,
  },
  { name: "range, top 5 instances", query: `topk(5, sum by (instance) (rate(${BUCKETS}[5m])))`, range: HOUR },
  {
    name: "range, average over 30 min",
    query: "avg(avg_over_time(noisy_float_0_total[30m]))",
    range: COARSE,
  },
  {
    name: "range, raw gauges of 2 %",
    query: "memory_gauge_0_total",
    range: { seconds: 3_600, stepSeconds: 60 },
  },
  {
    name: "range, ratio of two sums",
    query: `sum by (route) (rate(${BUCKETS}{le="0.001"}[5m])) / sum by (route) (rate(${BUCKETS}{le="0.512"}[5m]))`,
    range: HOUR,
  },
];
