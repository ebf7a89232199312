/**
 * What is asked of both. In texts, {now} is just after the last sample, in
 * seconds, {now-60} a minute before, and {now rfc} the same in RFC 3339.
 */
export interface Asked {
  /** Below /api/v1, unless it begins with a slash. */
  at: string;
  parameters: readonly (readonly [name: string, value: string])[];
  method: string;
  headers: Readonly<Record<string, string>>;
  /**
   * What is compared of a success: the data, also its order, or only which fields of which types there are.
   */
  by: "values" | "order" | "shape";
}

type Texts = Readonly<Record<string, string | readonly string[]>>;
type Rest = Partial<Pick<Asked, "method" | "headers" | "by">>;

function ask(at: string, texts: Texts = {}, rest: Rest = {}): Asked {
  const parameters = Object.entries(texts).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each] as const),
  );
  return { at, parameters, method: "GET", headers: {}, by: "values", ...rest };
}

/** The same with its parameters in the address, and in a form. */
function both(at: string, texts: Texts = {}, rest: Rest = {}): Asked[] {
  return [ask(at, texts, rest), ask(at, texts, { ...rest, method: "POST" })];
}

const atOnce = { time: "{now}" };
const minutes = { start: "{now-300}", end: "{now}", step: "60" };
const span = { start: "{now-600}", end: "{now}" };
const known = { "match[]": ["requests_total", "special"] };
const temperature = { query: "temperature", ...atOnce };

const TIMES = [
  ...["{now}", "{now-0.5}", "{now-60}", "{now rfc}", "{now-60 rfc}", "{now-0.25 rfc}", "{now offset}", "1e9"],
  ...[
    ".5",
    "5.",
    "+5",
    "-1",
    "-5.25",
    "0",
    "9999999999",
    "9e12",
    "noon",
    " 5",
    "5s",
    "1,5",
    "0x10",
    "2024-01-01",
  ],
  ...["2024-02-30T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00", "2024-01-01t00:00:00z"],
  ...["2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00+0100", "0001-01-01T00:00:00Z"],
  ...["9999-12-31T23:59:59Z", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00-07:00"],
];
const SOME_TIMES = ["{now-60}", "{now-60 rfc}", "{now offset}", "0", "9e12", "noon", "2024-02-30T00:00:00Z"];
/** As Go has the ends of time, and beyond what a time can be. */
const ENDS = ["-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z"];
const DURATIONS = [
  ...["60", "60.0", "6e1", "1m", "1m0s", "30s500ms", "1h", "1d", "1w", "1y", "0.5", "500ms"],
  ...["0", "0s", "-1", "-1m", "1.5m", "1m1h", "m", "1 m", "soon", "1e30", "60s ", "1us", "P1D", ""],
];
const SELECTORS = [
  ...[
    "requests_total",
    "requests_total{}",
    'requests_total{id="a"}',
    '{__name__="requests_total"}',
    '{id=~"a|b"}',
  ],
  ...[
    '{__name__=~"requests_.*",id!="a"}',
    "  requests_total  ",
    "nothing",
    '{job="shop",}',
    "{__name__=~'seconds_.+'}",
  ],
  ...[
    '{id=~"("}',
    "",
    "up offset 5m",
    "up[5m]",
    "(requests_total)",
    "1",
    "sum(requests_total)",
    "requests_total{",
  ],
  ...["requests_total @ 5", '"requests_total"', "requests_total # a", "-up"],
];
const EMPTY_SELECTORS = ["{}", '{id=""}', '{id=~".*"}', '{id!="a"}'];
const WHOLE_NUMBERS = ["0", "1", "100", "-1", "1.5", "ten", "", "99999999999999999999", "+2", " 2"];
const EXPRESSIONS = [
  ...[
    "requests_total",
    "requests_total[1m]",
    "special",
    "1",
    "1 / 0",
    "0 / 0",
    "-0",
    '"text"',
    "vector(12)",
    "native",
  ],
  ...["sum(requests_total)", "sum by (job) (requests_total)", "ended", "time()", "nothing", "native[1m]"],
  ...["histogram_quantile(0.5, seconds_bucket)", "requests_total offset 1m", "requests_total @ end()"],
  ...[
    "sum_over_time(temperature[5m:7s])",
    "1 +",
    "sum(",
    "{}",
    "",
    "nonsense(1)",
    "requests_total + on() requests_total",
  ],
  ...[
    'label_replace(requests_total, "a", "$1", "id", "(")',
    'label_replace(temperature, "a", "x$1", "room", "(.*)")',
  ],
  ...[
    "1 == bool 1",
    "rate(requests_total)",
    "colon:name",
    "absent(nothing)",
    "scalar(temperature)",
    "special > 1000",
  ],
];
const ORDERED = [
  ...[
    "sort(requests_total)",
    "sort_desc(requests_total)",
    "topk(2, requests_total)",
    "bottomk(2, requests_total)",
  ],
];

const QUERIES: readonly Asked[] = [
  ...EXPRESSIONS.flatMap((query) => both("query", { query, ...atOnce })),
  ...ORDERED.flatMap((query) => both("query", { query, ...atOnce }, { by: "order" })),
  ...[...TIMES, ...ENDS, "Inf", "NaN", "1e30"].map((time) => ask("query", { query: "requests_total", time })),
  ...[...DURATIONS, "NaN"].map((timeout) => ask("query", { ...temperature, timeout })),
  ...[
    "-0.25",
    "-5.25",
    "0.001",
    "-0.001",
    "0.0004",
    "0.0006",
    "1e9",
    "{now-0.5}",
    "123.4567",
    "4294967296.5",
  ].map((time) => ask("query", { query: "time()", time })),
  ...["1m", "60", "0", "-1", "soon"].map((delta) => ask("query", { ...temperature, lookback_delta: delta })),
  ...["0", "100", "-1"].map((limit) => ask("query", { ...temperature, limit })),
  ...both("query"),
  ...both("query", { query: ["temperature", "1 +"], time: ["{now}", "noon"], timeout: ["1m", "soon"] }),
  ask("query?query=1%2B", temperature, { method: "POST" }),
  ask("query?query=temperature", atOnce, { method: "POST" }),
  ...both("query", { ...temperature, unknown: ["1", "2"], "": "x", constructor: "y" }),
  ask("query", { query: "temperature", time: "" }, { by: "shape" }),
  ask("query", { query: "vector(1)" }, { by: "shape" }),
  ...["all", "true", ""].map((stats) => ask("query", { ...temperature, stats }, { by: "shape" })),
];

const RANGES: readonly Asked[] = [
  ...EXPRESSIONS.flatMap((query) => both("query_range", { query, ...minutes })),
  ...ORDERED.map((query) => ask("query_range", { query, ...minutes }, { by: "order" })),
  ...["requests_total", "special", '{__name__=~"requests_total|special|temperature"}'].map((query) =>
    ask("query_range", { query, ...minutes }, { by: "order" }),
  ),
  ...["0.25", "0.1", "0.001", "0.3", "250ms"].map((step) =>
    ask("query_range", { query: "temperature + time()", start: "{now-1}", end: "{now}", step }),
  ),
  ask("query_range", { query: "time()", start: "-2", end: "2", step: "0.5" }),
  ...DURATIONS.map((step) => ask("query_range", { query: "temperature", ...minutes, step })),
  ...[...SOME_TIMES, ...ENDS].map((start) =>
    ask("query_range", { query: "temperature", ...minutes, start, step: "1y" }),
  ),
  ...[...SOME_TIMES, ...ENDS].map((end) =>
    ask("query_range", { query: "temperature", ...minutes, end, step: "1y" }),
  ),
  ...["1m", "0", "soon"].map((timeout) => ask("query_range", { query: "temperature", ...minutes, timeout })),
  ...both("query_range"),
  ask("query_range", { query: "temperature", end: "{now}", step: "60" }),
  ask("query_range", { query: "temperature", start: "{now}", step: "60" }),
  ...both("query_range", { query: "temperature", ...minutes, start: "{now}", end: "{now-1}" }),
  ...both("query_range", { query: "temperature", ...minutes, start: "{now}", end: "{now}" }),
  ...["10999", "11000", "11000.5", "11001"].map((end) =>
    ask("query_range", { query: "vector(1)", start: "0", end, step: "1" }),
  ),
  ...both("query_range", {
    query: ["temperature", "1 +"],
    start: ["{now-60}", "x"],
    end: ["{now}", "x"],
    step: ["30", "x"],
  }),
  ask("query_range", { query: "temperature", ...minutes, stats: "all" }, { by: "shape" }),
];

const LISTS: readonly Asked[] = [
  ...["labels", "series"].flatMap((at) => [
    ...[...SELECTORS, ...EMPTY_SELECTORS].flatMap((match) => both(at, { "match[]": match, ...span })),
    ...both(at, { ...known, ...span }),
    ...both(at, { "match[]": ["requests_total", "requests_total{id='a'}"], ...span }),
    ...both(at, { "match[]": ["requests_total", "sum("], ...span }),
    ask(at, { ...known, start: "{now+3600}" }),
    ask(at, { ...known, start: "{now}", end: "{now-60}" }),
    ...[...SOME_TIMES, ...ENDS].map((start) => ask(at, { ...known, start, end: "9e12" }, { by: "shape" })),
    ...[...SOME_TIMES, ...ENDS].map((end) => ask(at, { ...known, end }, { by: "shape" })),
    ask(at, { match: "requests_total" }, { by: "shape" }),
    ask(at, { ...known, ...span, limit: "0" }),
  ]),
  ...both("labels", span, { by: "shape" }),
  ...["id", "job", "__name__", "nothing", "le"].map((name) =>
    ask(`label/${name}/values`, { ...known, ...span }),
  ),
  ...["a-b", "0a", "%F0%9F%99%82", "U__id", "a%2Fb", "%ff"].map((name) =>
    ask(`label/${name}/values`, { ...known, ...span }),
  ),
  ...[...SELECTORS, ...EMPTY_SELECTORS].map((match) => ask("label/id/values", { "match[]": match, ...span })),
  ...[...SOME_TIMES, ...ENDS].map((start) => ask("label/id/values", { ...known, start, end: "9e12" })),
  ask("label/id/values", span),
  ask("label/id/values"),
  ask("label//values"),
  ask("label/id"),
  ask("label/id/values", known, { method: "POST" }),
];

const exported = { metric: "exported_seconds" };
const OTHERS: readonly Asked[] = [
  ...EXPRESSIONS.flatMap((query) => both("format_query", { query })),
  ask("parse_query", { query: "requests_total" }),
  ...EXPRESSIONS.map((query) => ask("query_exemplars", { query, ...span })),
  ...both("query_exemplars", { query: "traced_total", ...span }),
  ...both("query_exemplars", { query: 'rate(traced_total{job="shop"}[5m]) + requests_total', ...span }),
  ask("query_exemplars", { query: "traced_total" }),
  ...both("query_exemplars", { query: "traced_total", start: "{now}", end: "{now-1}" }),
  ask("query_exemplars", { query: "traced_total", start: "{now-7200}", end: "{now-3600}" }),
  ...SOME_TIMES.map((start) => ask("query_exemplars", { query: "traced_total", start, end: "9e12" })),
  ask("metadata", {}, { by: "shape" }),
  ask("metadata", { metric: "exported_total" }),
  ask("metadata", { metric: "nothing" }),
  ...WHOLE_NUMBERS.map((limit) => ask("metadata", { ...exported, limit })),
  ...["0", "1", "-1"].map((limit) => ask("metadata", { ...exported, limit_per_metric: limit })),
  ask("metadata", {}, { method: "POST" }),
  ...["", "active", "dropped", "any", "ACTIVE", "other"].map((state) =>
    ask("targets", { state, scrapePool: "exporter" }, { by: "shape" }),
  ),
  ask("targets", { scrapePool: "nothing" }, { by: "shape" }),
  ask("targets/metadata", { match_target: '{job="exporter"}' }, { by: "shape" }),
  ask("targets/metadata", { match_target: '{job="nothing"}' }),
  ask("targets/metadata", { metric: "exported_total" }),
  ...WHOLE_NUMBERS.map((limit) => ask("targets/metadata", { ...exported, limit })),
  ...[...SELECTORS, ...EMPTY_SELECTORS].map((selector) =>
    ask("targets/metadata", { ...exported, match_target: selector }),
  ),
  ask("scrape_pools", {}, { by: "shape" }),
  ask("alertmanagers"),
  ask("alerts"),
  ask("rules", {}, { by: "shape" }),
  ...["alert", "record", "ALERT", "other"].map((type) => ask("rules", { type }, { by: "shape" })),
  ask("rules", { "rule_name[]": ["rule:sum", "Cold"] }, { by: "shape" }),
  ask("rules", { "rule_group[]": "nothing" }, { by: "shape" }),
  ask("rules", { "file[]": "nothing" }, { by: "shape" }),
  ask("rules", {}, { method: "POST" }),
  ...["config", "buildinfo", "walreplay", "tsdb", "flags", "runtimeinfo", "nothing"].map((name) =>
    ask(`status/${name}`, {}, { by: "shape" }),
  ),
  ask("nothing"),
];

const FEDERATED = ["special", "requests_total", "colon:name", "ended", "native", "temperature", "nothing"];
const FEDERATE: readonly Asked[] = [
  ...FEDERATED.map((match) => ask("/federate", { "match[]": match })),
  ask("/federate", { "match[]": ["requests_total", "temperature", "requests_total{id='a'}"] }),
  ask("/federate", { "match[]": '{__name__=~"requests_total|temperature|seconds_.*"}' }),
  ask("/federate"),
  ask("/federate", { "match[]": "sum(" }),
  ask("/federate", { "match[]": "{}" }),
  ask(
    "/federate",
    { "match[]": "temperature" },
    { headers: { accept: "application/openmetrics-text;version=1.0.0" } },
  ),
  ask("/federate", { "match[]": "temperature" }, { method: "POST" }),
];

const everySecond = { query: "requests_total", ...minutes, step: "1" };
const FORMS: readonly Asked[] = [
  ...["gzip", "gzip, deflate, br", "deflate", "identity", "*", "br", "gzip;q=0"].map((accepted) =>
    ask("query_range", everySecond, { headers: { "accept-encoding": accepted } }),
  ),
  ...["*/*", "text/html", "application/json", "text/plain;q=0.5", "image/png"].map((accept) =>
    ask("query", temperature, { headers: { accept } }),
  ),
  ...[
    ...["application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-Urlencoded"],
    ...["application/json", "text/plain", "multipart/form-data; boundary=x"],
  ].map((type) => ask("query", temperature, { method: "POST", headers: { "content-type": type } })),
  ...["PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"].map((method) => ask("query", temperature, { method })),
  ask("query", temperature, { headers: { origin: "https://elsewhere.example" } }),
  ...[
    ...[
      "query?query=1%zz",
      "query?query=1;time=5",
      "query?query=1+%2B+1&time=5",
      "query?query=1 %2b 1&time=5",
    ],
    ...[
      "query?query=%221%ff%22&time=5",
      "query?time=5&query=%22%F0%9F%99%82%22",
      "query?QUERY=1",
      "query?query[]=1",
    ],
    ...["query/?query=1&time=5", "query?", "query?query", "query?&&query=1&time=5", "query?query=1&time=5#x"],
    ...["query?query=1&time=%20", "query?query=1&time=5&timeout=%20", "query?query=%231", "query?query=%20"],
    ...["query?query=vector(1)%0A%2B%0A1&time=5", "query?query=1%00&time=5", "query?query=%22%00%22&time=5"],
    ...[
      "series?match[]=requests_total",
      "series?match[]=requests_total&match[]=special",
      "series?match%5B%5D=special",
    ],
    ...[
      "series?match[0]=special",
      "series?match[]",
      "series?match[]=",
      "labels?match[]=",
      "labels?match[]=special&match[]=",
    ],
    ...["label/id/values?match[]=", "label/__name__/values?match[]=requests_total", "label/id/values/"],
    ...[
      "labels?match[]=sum",
      "labels?match[]=by",
      "labels?match[]=on",
      "labels?match[]=bool",
      "labels?match[]=inf",
    ],
    ...[
      "labels?match[]=nan",
      "labels?match[]=offset",
      "labels?match[]=start",
      "labels?match[]=time",
      "labels?match[]=5m",
    ],
    ...[
      "labels?match[]=NaN{}",
      "labels?match[]=sum{}",
      "labels?match[]=and",
      "labels?match[]=a:b",
      "labels?match[]=:a",
    ],
    ...[
      "labels?match[]=a.b",
      "labels?match[]={a.b=%221%22}",
      "labels?match[]={a=~%22(%22}",
      "labels?match[]={a=%22%22,b!=%22%22}",
    ],
    ...[
      "labels?match[]={a=~%22(?i)x%22}",
      "labels?match[]={a=~%22x{2,1}%22}",
      "labels?match[]={a=%27b%27,}",
      "labels?match[]={,}",
    ],
    ...[
      "labels?match[]={a=`b`}",
      "labels?match[]={a=%22\\q%22}",
      "labels?match[]={__name__=%22%22}",
      "labels?match[]=a{__name__=%22b%22}",
    ],
  ].map((at) => ask(at)),
  ask("series?match[]=requests_total", { "match[]": "special" }, { method: "POST" }),
  ask("write"),
  ask("admin/tsdb/delete_series", {}, { method: "POST" }),
  ask("admin/tsdb/delete_series", { "match[]": "sum(" }, { method: "POST" }),
  ask("admin/tsdb/delete_series", { "match[]": "nothing", start: "noon" }, { method: "POST" }),
  ask("admin/tsdb/delete_series", { "match[]": "nothing" }, { method: "PUT" }),
  ask("admin/tsdb/clean_tombstones", {}, { method: "POST" }),
  ask("admin/tsdb/snapshot", { skip_head: "maybe" }, { method: "POST" }),
  ask("admin/tsdb/snapshot", {}, { method: "POST", by: "shape" }),
];

/** Every request that both are asked. */
export const REQUESTS: readonly Asked[] = [...QUERIES, ...RANGES, ...LISTS, ...OTHERS, ...FEDERATE, ...FORMS];
