import type { ProxyLimits } from "../proxy/worker-protocol.ts";
import { NODE, type EngineBackend, type EngineTable } from "./engine-table.ts";
import { SERVER_OPTIONS, type MapFiles } from "./plan-commands.ts";

export interface ConfigInput {
  table: EngineTable;
  /** Base64, as in the routing table. */
  cookieKey: string;
  threads: number;
  limits: ProxyLimits;
  drainTimeoutMs: number;
  /** Whose X-Forwarded-* headers are believed. */
  trustedProxies: string[];
  paths: EnginePaths;
}

export interface EnginePaths {
  /** The runtime socket of this process. */
  admin: string;
  /** Where it tells of each request. */
  log: string;
  /** The sockets of the Node workers behind it. */
  nodes: string[];
  maps: MapFiles;
}

const LISTENING_SOCKET = 3;
const CONNECT_TIMEOUT_MS = 3000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A request that may be repeated is copied with its whole buffer: larger ones would cost each of them. */
const BUFFER_BYTES = 16_384;
/** Besides the head of a request: what HAProxy keeps free in a buffer to add headers. */
const REWRITE_BYTES = 1024;
/** Of verified cookies, as the Node worker. */
const REMEMBERED = 20_000;
/** What is waited for as a whole; fits into a buffer beside a long head. */
const SMALL_BODY_BYTES = 8192;
/** As `agent/src/proxy/headers.ts` has it. */
const VALID_HOST = "^(?:[A-Za-z0-9_.~-]+|\\[[0-9A-Fa-f:.]+\\])(?::[0-9]{1,5})?$";
const COMPRESSIBLE = [
  ...["html", "plain", "css", "javascript", "xml", "csv", "markdown"].map((type) => `text/${type}`),
  ...["json", "javascript", "xml", "manifest+json", "wasm", "ld+json", "problem+json"].map(
    (type) => `application/${type}`,
  ),
  "image/svg+xml",
].join(" ");
const COOKIE_ATTRIBUTES = "Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax";
/** The key in the map of rows that says that this process is to end. */
export const CLOSING = "closing";
const SIGNATURE = "hmac(sha256,proc.key),bytes(0,16),ub64enc";

/** One line of the log for each request; `readLogLine` reads it. */
const LOG_FORMAT = "%b %s %[var(txn.bucket)] %HM %ST %ts %[var(txn.us)] %Ta %rc";

/** The whole configuration: desired state in, text out. Holds the key of the cookies. */
export function renderConfig(input: ConfigInput): string {
  const sections = [
    globals(input),
    ring(input.paths.log),
    defaults(input.limits),
    frontend(input),
    ...input.table.backends.map((each) => backend(each, input.paths.nodes)),
    nodeBackend(input.paths),
    verifiedTable(),
  ];
  return sections
    .map(([head, ...lines]) => [head, ...lines.map((line) => `  ${line}`), ""].join("\n"))
    .join("\n");
}

/** A map file: a key and a value a line. */
export function renderMap(map: Map<string, string>): string {
  return [...map].map(([key, value]) => `${key} ${value}\n`).join("");
}

function globals({ threads, limits, drainTimeoutMs, paths, cookieKey }: ConfigInput): string[] {
  return [
    "global",
    `nbthread ${threads}`,
    `maxconn ${limits.connections * threads}`,
    `stats socket ${paths.admin} mode 600 level admin`,
    `hard-stop-after ${Math.max(1000, drainTimeoutMs)}ms`,
    `tune.bufsize ${Math.min(limits.headerBytes + REWRITE_BYTES, BUFFER_BYTES)}`,
    `tune.maxrewrite ${REWRITE_BYTES}`,
    `tune.http.maxhdr ${limits.headerCount}`,
    `set-var proc.key str("${cookieKey}")`,
  ];
}

/** Keeps what is told while the agent's side is away, 1 MiB of it. */
function ring(path: string): string[] {
  return [
    "ring requests",
    "format raw",
    "maxlen 512",
    "size 1048576",
    "timeout connect 1s",
    "timeout server 5s",
    `server keeper unix@${path} log-proto octet-count`,
  ];
}

function defaults({ headerTimeoutMs, bodyTimeoutMs }: ProxyLimits): string[] {
  return [
    "defaults",
    "mode http",
    `timeout connect ${CONNECT_TIMEOUT_MS}ms`,
    `timeout http-request ${headerTimeoutMs}ms`,
    `timeout http-keep-alive ${KEEP_ALIVE_TIMEOUT_MS}ms`,
    `timeout client ${bodyTimeoutMs}ms`,
    "timeout server 1h",
    "timeout tunnel 24h",
    "option http-no-delay",
    "option abortonclose",
    // Connections that browsers open ahead are nobody's failure.
    "option http-ignore-probes",
    "option dontlognull",
    "option redispatch 1",
    "http-reuse always",
    "retries 2",
    ...errorAnswers(),
  ];
}

/** RFC 9457 and RFC 9209, as the Node worker answers. */
function errorAnswers(): string[] {
  const answers: [number, string, string | null][] = [
    [408, "The body of the request stopped arriving", null],
    [
      502,
      "The instance closed the connection without an answer",
      "mainstay-upstream; error=connection_terminated",
    ],
    [503, "Every instance refused the connection", "mainstay; error=connection_refused"],
    [504, "The instance did not answer in time", "mainstay-upstream; error=http_response_timeout"],
  ];
  return answers.map(([status, title, proxyStatus]) => {
    const body = quoted(JSON.stringify({ type: "about:blank", status, title }));
    const blame = proxyStatus === null ? "" : ` hdr proxy-status ${quoted(proxyStatus)}`;
    const type = "content-type application/problem+json";
    return `http-error status ${status} ${type} string ${body} hdr cache-control no-store${blame}`;
  });
}

function frontend({ table, limits, trustedProxies, paths }: ConfigInput): string[] {
  return [
    "frontend public",
    `bind fd@${LISTENING_SOCKET}`,
    "log ring@requests local0",
    `log-format ${quoted(LOG_FORMAT)}`,
    ...connectionFacts(trustedProxies),
    "http-request set-var(txn.start) date(0,us)",
    ...exceptions(limits),
    ...routing(table, paths.maps),
    `http-request wait-for-body time ${limits.bodyTimeoutMs}ms if { req.hdr_val(content-length) gt 0 } !{ var(txn.service) -m str ${NODE} }`,
    ...assignment(table, paths.maps),
    "http-response set-var(txn.us) date(0,us),sub(txn.start)",
    "use_backend %[var(txn.service)].candidate if { var(txn.arm) -m found }",
    "use_backend %[var(txn.service)].stable if { var(txn.service) -m found }",
    `default_backend ${NODE}`,
  ];
}

/** What is true of all requests of a connection is found out once for them. */
function connectionFacts(trustedProxies: string[]): string[] {
  const conditions = [
    // IPv6 addresses, and IPv4 ones in their disguise: other rules of quoting (RFC 7239, section 6).
    "{ src -m sub : }",
    ...(trustedProxies.length > 0 ? [`{ src ${trustedProxies.join(" ")} }`] : []),
  ];
  return [
    "tcp-request session set-var-fmt(sess.client) %[src]",
    ...conditions.map((each) => `tcp-request session set-var(sess.other) bool(true) if ${each}`),
  ];
}

/** What the Node worker does better, or alone. */
function exceptions({ bodyBytes }: ProxyLimits): string[] {
  const conditions = [
    // Upgrades, and headers of one connection, which HAProxy would pass on.
    "{ req.fhdr(connection) -m found } !{ req.fhdr(connection) -i keep-alive close }",
    // Bodies that are not all here before the instance is
    // asked: a slow client would look like a slow instance.
    "{ req.hdr(transfer-encoding) -m found }",
    `{ req.hdr_val(content-length) gt ${Math.min(bodyBytes, SMALL_BODY_BYTES)} }`,
    // Streams that are told to go when their instance leaves.
    "{ req.hdr(accept) -m beg text/event-stream }",
    "!{ url_beg / }",
    "!{ req.hdr_cnt(host) eq 1 }",
    "{ var(sess.other) -m found }",
  ];
  return conditions.map((each) => `http-request set-var(txn.service) str(${NODE}) if ${each}`);
}

/** Exact host, longest wildcard, any host; the longest path of each. */
function routing({ wildcards }: EngineTable, { routes }: MapFiles): string[] {
  const find = `concat(,txn.path),map_beg(${routes})`;
  const unless = "if !{ var(txn.service) -m found }";
  const set = "http-request set-var(txn.service)";
  return [
    "http-request set-var(txn.path) path,concat(/)",
    `${set} req.hdr(host),host_only,${find} ${unless}`,
    `${set} str(${NODE}) ${unless} !{ req.fhdr(host) -m reg ${quoted(VALID_HOST)} }`,
    ...wildcards.map(
      (end) => `${set} str(*${end}),${find} ${unless} { req.hdr(host),host_only -m end ${end} }`,
    ),
    `${set} str(*),${find} ${unless}`,
  ];
}

/** docs/formats/agent.md, "Assignment". */
function assignment({ headers }: EngineTable, { rows }: MapFiles): string[] {
  const cookie = "{ var(txn.cookie) -m found }";
  const verified = `${cookie} { sc0_get_gpt0 eq 1 }`;
  return [
    `http-request set-var(txn.row) var(txn.service),map_str(${rows})`,
    // Without a candidate nobody is told apart: here most requests are done.
    "http-request allow if !{ var(txn.row) -m found }",
    "http-request set-var(txn.weight) var(txn.row),field(1,|)",
    "http-request set-var(txn.cookie) req.cook(mainstay_id)",
    `http-request track-sc0 var(txn.cookie) table verified if ${cookie}`,
    `http-request set-var(txn.known) var(txn.cookie),field(1,.) if ${cookie}`,
    `http-request set-var(txn.signature) var(txn.known),${SIGNATURE} if ${cookie} !{ sc0_get_gpt0 eq 1 }`,
    `http-request sc-set-gpt0(0) 1 if ${cookie} { var(txn.cookie),field(2,.),secure_memcmp(txn.signature) }`,
    `http-request set-var(txn.id) var(txn.known) if ${verified}`,
    ...headers.map(headerRule),
    "http-request set-var(txn.fresh) uuid() if !{ var(txn.id) -m found }",
    "http-request set-var(txn.id) var(txn.fresh) if { var(txn.fresh) -m found }",
    "http-request set-var(txn.bucket) var(txn.row),field(2,|),concat(,txn.id),xxh32(0),mod(10000)",
    "http-request set-var(txn.arm) str(candidate) if { var(txn.weight),sub(txn.bucket) gt 0 }",
  ];
}

function headerRule(name: string): string {
  const isMeant = `{ var(txn.row),field(3,|) -m str ${name} } !{ var(txn.id) -m found }`;
  return `http-request set-var(txn.id) req.fhdr(${name}) if ${isMeant} { req.fhdr_cnt(${name}) eq 1 } { req.fhdr(${name}) -m len 1:256 }`;
}

/** An arm: its instances, and the Node worker when none of them takes a connection. */
function backend(arm: EngineBackend, nodes: string[]): string[] {
  const { name, balance, timeoutMs, compression, securityHeaders, servers } = arm;
  const cookie = `mainstay_id=%[var(txn.fresh)].%[var(txn.fresh),${SIGNATURE}]; ${COOKIE_ATTRIBUTES}`;
  return [
    `backend ${name}`,
    `balance ${balance}`,
    `timeout server ${timeoutMs}ms`,
    "retry-on conn-failure empty-response",
    "http-request disable-l7-retry if !{ method GET HEAD OPTIONS TRACE PUT DELETE } or { req.hdr_val(content-length) gt 0 }",
    ...forwarding(),
    `http-response add-header set-cookie ${quoted(cookie)} if { var(txn.fresh) -m found } !{ srv_name -m beg ${NODE} }`,
    "http-response del-header proxy-connection",
    ...(securityHeaders ? securityRules() : []),
    ...(compression ? ["compression algo gzip", `compression type ${COMPRESSIBLE}`] : []),
    ...servers.map(
      (each) => `server ${each.name} 127.0.0.1:${each.port} weight ${each.weight} ${SERVER_OPTIONS}`,
    ),
    ...nodeServers(nodes, " backup"),
  ];
}

/** Whatever a client says of where it comes from is replaced; `docs/formats/agent.md`, "What is sent on". */
function forwarding(): string[] {
  return [
    "http-request del-header x-forwarded- -m beg",
    "http-request del-header x-real-ip",
    "http-request del-header forwarded",
    "http-request del-header te",
    "http-request add-header x-forwarded-for %[var(sess.client)]",
    "http-request add-header x-forwarded-proto http",
    "http-request add-header x-forwarded-host %[req.hdr(host)]",
    `http-request add-header forwarded ${quoted('for=%[var(sess.client)];host="%[req.hdr(host)]";proto=http')}`,
  ];
}

/** As the Node worker: `agent/src/proxy/answer-dressing.ts` has the source. */
function securityRules(): string[] {
  const add = (name: string, value: string) =>
    `http-response set-header ${name} ${value} if !{ res.hdr(${name}) -m found }`;
  return [
    add("x-content-type-options", "nosniff"),
    add("referrer-policy", "strict-origin-when-cross-origin"),
    `${add("x-frame-options", "SAMEORIGIN")} !{ res.fhdr(content-security-policy) -m sub -i frame-ancestors }`,
  ];
}

/**
 * Everything else. Once this process is to end its routes are emptied, so all it still gets comes here, and
 * clients are told to come back on another connection.
 */
function nodeBackend({ nodes, maps }: EnginePaths): string[] {
  return [
    `backend ${NODE}`,
    "balance roundrobin",
    `http-after-response set-header connection close if { str(${CLOSING}),map_str(${maps.rows}) -m found }`,
    ...nodeServers(nodes, ""),
  ];
}

/** They learn the client's address by the PROXY protocol; a connection of each request's own. */
function nodeServers(nodes: string[], options: string): string[] {
  return nodes.map((path, slot) => `server ${NODE}-${slot} unix@${path} send-proxy-v2 max-reuse 0${options}`);
}

/** Cookies whose signature was found good: checking it again would cost half a request. */
function verifiedTable(): string[] {
  return ["backend verified", `stick-table type string len 128 size ${REMEMBERED} expire 1h store gpt0`];
}

/** In single quotes everything but the quote itself stands for itself. */
function quoted(text: string): string {
  return `'${text}'`;
}
