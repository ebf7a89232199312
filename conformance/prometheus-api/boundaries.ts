/** Where the two differ, and why that stays. */
export interface Boundary {
  reason: string;
  /** What Mainstay answers: its status, and the type of the error. */
  own: string;
  /** The requests, as `nameOf` writes them. */
  requests: readonly string[];
}

const listed = `match[]=requests_total match[]=special start={now-600} end={now}`;

export const BOUNDARIES: readonly Boundary[] = [
  {
    reason:
      "What is no moment or length of time is refused; Prometheus goes on with an integer that overflowed.",
    own: "400 bad_data",
    requests: [
      ...["Inf", "NaN", "1e30"].map((time) => `GET query query=requests_total time=${time}`),
      "GET query query=temperature time={now} timeout=NaN",
    ],
  },
  {
    reason: "Beyond 292 years Prometheus does not see how many points there would be.",
    own: "400 bad_data",
    requests: [
      "GET query_range query=temperature start=-292273086-05-16T16:47:06Z end={now} step=1y",
      "GET query_range query=temperature start={now-300} end=9e12 step=1y",
      "GET query_range query=temperature start={now-300} end=292277025-08-18T07:12:54.999999999Z step=1y",
    ],
  },
  {
    reason: "lookback_delta is a parameter since Prometheus 2.46, limit of query since 3.0.",
    own: "400 bad_data",
    requests: [
      "GET query query=temperature time={now} lookback_delta=soon",
      "GET query query=temperature time={now} limit=-1",
    ],
  },
  {
    reason: "Since Prometheus 3.0 every text is the name of a label, and U__ escapes one.",
    own: "200",
    requests: ["a-b", "0a", "%F0%9F%99%82", "U__id", "a%2Fb"].map(
      (name) => `GET label/${name}/values ${listed}`,
    ),
  },
  {
    reason: "parse_query is there since Prometheus 3.0.",
    own: "200",
    requests: ["GET parse_query query=requests_total"],
  },
  {
    reason: "What is no URL is refused before it reaches the API.",
    own: "400",
    requests: [`GET label/%ff/values ${listed}`],
  },
  {
    reason: "Nobody is sent elsewhere.",
    own: "404",
    requests: ["GET query/?query=1&time=5", "GET label/id/values/"],
  },
  {
    reason:
      "What is escaped wrongly counts as it stands, here 1 modulo zz; Prometheus passes over the parameter.",
    own: "200",
    requests: ["GET query?query=1%zz"],
  },
  {
    reason:
      "The grammar, which is that of Prometheus' own editor, has no metric of this name without quotes.",
    own: "400 bad_data",
    requests: ["GET labels?match[]=offset"],
  },
  {
    reason: "A name that is given twice is refused, as in a query.",
    own: "400 bad_data",
    requests: ["GET labels?match[]=a{__name__=%22b%22}"],
  },
  {
    reason: "Nobody is sent elsewhere; the name is empty.",
    own: "400 bad_data",
    requests: ["GET label//values"],
  },
  {
    reason: "An empty list in place of no content, which readers of JSON fail at.",
    own: "200",
    requests: ["1", "1 / 0", "0 / 0", "-0", '"text"', "vector(12)", "time()", "1 == bool 1"].map(
      (query) => `GET query_exemplars query=${query} start={now-600} end={now}`,
    ),
  },
  {
    reason: "Relabelling does not set the interval of a target.",
    own: "200",
    requests: ["", "active", "dropped", "any", "ACTIVE"].map(
      (state) => `GET targets state=${state} scrapePool=exporter`,
    ),
  },
  {
    reason: "Only settings that have something to do with Mainstay are named, and nothing of Go's runtime.",
    own: "200",
    requests: ["GET status/flags", "GET status/runtimeinfo"],
  },
  {
    reason: "How many native histograms are left out is told in a comment.",
    own: "200",
    requests: ["GET /federate match[]=native"],
  },
  {
    reason: "Who federates nothing, or everything by mistake, is told so.",
    own: "400",
    requests: ["GET /federate", "GET /federate match[]={}"],
  },
  {
    reason: "Answers are packed with gzip or not at all.",
    own: "200",
    requests: [
      'GET query_range query=requests_total start={now-300} end={now} step=1 {"accept-encoding":"deflate"}',
    ],
  },
  {
    reason: "A body that is no form is refused as what it is; Prometheus passes over it.",
    own: "415",
    requests: ["application/json", "text/plain", "multipart/form-data; boundary=x"].map(
      (type) => `POST query query=temperature time={now} {"content-type":"${type}"}`,
    ),
  },
  {
    reason: "Mainstay answers 404 where a route does not have the method.",
    own: "404",
    requests: [
      ...["POST label/id/values match[]=requests_total match[]=special", "POST metadata", "POST rules"],
      ...["POST /federate match[]=temperature", "GET write"],
      ...["PUT", "DELETE", "PATCH", "HEAD"].map((method) => `${method} query query=temperature time={now}`),
    ],
  },
  {
    reason: "Pages of other origins do not get to ask: there is no CORS.",
    own: "404",
    requests: ["OPTIONS query query=temperature time={now}"],
  },
];
