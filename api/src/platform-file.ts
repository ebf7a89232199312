import { z } from "zod";
import { approvalRules } from "./approvals-file.ts";
import { audit } from "./audit-file.ts";
import { freezeList } from "./freeze-file.ts";
import { identity } from "./identity-file.ts";
import { beat, channels, problems } from "./messages-file.ts";
import { metrics } from "./metrics-file.ts";
import { durationWithin, sizeWithin } from "./unit-schemas.ts";
import { serviceName } from "./service-name.ts";

/**
 * `mainstay.platform.yaml`: the platform itself. Every key, its default and its words are written here and
 * nowhere else; docs/reference/configuration.md is made from it.
 */

function wholeNumber(what: string, min: number, max: number) {
  const message = `expected ${what} from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}
const port = () => wholeNumber("a port", 0, 65_535);
const host = () => z.string().min(1, "expected an address to listen on, such as 127.0.0.1");

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const hostName = () =>
  z
    .string()
    .regex(/^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
      message: "expected a host name in lower case, such as mainstay.example.com",
    });

const server = z.strictObject({
  host: host().default("127.0.0.1").describe("Where the console and the API listen."),
  port: port().default(7700).describe("The port of the console and the API; 0 takes a free one."),
  bodyLimit: sizeWithin(1024, 64 * 1024 ** 2, "expected a size from 1KiB to 64MiB")
    .prefault("1MiB")
    .describe("The largest request body that is read."),
  requestTimeout: durationWithin(SECOND, HOUR)
    .prefault("30s")
    .describe("How long a request may take to arrive, and then to be answered."),
  shutdownTimeout: durationWithin(0, HOUR)
    .prefault("10s")
    .describe("How long each part of the server may take to finish its work when it stops."),
  publicHost: hostName()
    .nullable()
    .default(null)
    .describe("The host under which the data plane hands on the console and the API, over HTTPS alone."),
  allowedHosts: z
    .array(hostName(), "expected a list of host names, such as [mainstay.internal]")
    .default([])
    .describe("Further names under which the server answers, beside publicHost, localhost and addresses."),
});

const file = () => z.string().min(1, "expected the path of a file");
const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";

const tls = z.strictObject({
  port: wholeNumber("a port", 1, 65_535)
    .nullable()
    .default(null)
    .describe("The port of HTTPS on proxy.host; null: no HTTPS."),
  certificates: z
    .array(z.strictObject({ cert: file(), key: file() }), "expected a list of { cert: file, key: file }")
    .default([])
    .describe("Certificates of your own as PEM files, read again when they change."),
  redirect: z
    .boolean()
    .default(true)
    .describe("Whether plain requests to hosts with a certificate are sent to HTTPS."),
  hsts: durationWithin(0, 730 * DAY)
    .prefault("7d")
    .describe("How long browsers shall keep to HTTPS for hosts with a certificate; 0s: they are not told."),
});

const acme = z.strictObject({
  agreeToTerms: z
    .boolean()
    .default(false)
    .describe("Whether you agree to the terms of the certificate authority; it is asked only if you do."),
  directory: z
    .url({ protocol: /^https$/, error: "expected an https:// URL" })
    .default(LETS_ENCRYPT)
    .describe("The authority that issues certificates for the hosts of all routes (RFC 8555)."),
  email: z
    .email("expected an e-mail address")
    .nullable()
    .default(null)
    .describe("Where the authority may reach you."),
  caFile: file()
    .nullable()
    .default(null)
    .describe("PEM file of the authority behind the directory's own HTTPS, where the system knows it not."),
});

const NETWORK = "expected an address or a network, such as 10.0.0.0/8 or fd00::/8";
const network = z.union([z.ipv4(NETWORK), z.ipv6(NETWORK), z.cidrv4(NETWORK), z.cidrv6(NETWORK)], NETWORK);

const proxy = z.strictObject({
  host: host().default("0.0.0.0").describe("Where the services' traffic comes in."),
  port: port().default(8080).describe("The port of the services' traffic; 0 takes a free one."),
  workers: wholeNumber("a whole number", 1, 64)
    .default(1)
    .describe("Processes that share the traffic; one serves thousands a second."),
  engine: z
    .enum(["node", "haproxy", "auto"])
    .default("node")
    .describe(
      "Who takes the traffic; haproxy: HAProxy (2.6 or newer) before Node; auto: so where it is installed.",
    ),
  requestTimeout: durationWithin(SECOND, DAY)
    .prefault("60s")
    .describe("How long a service may be silent before its request counts as failed."),
  drainTimeout: durationWithin(0, DAY)
    .prefault("30s")
    .describe("How long requests in flight may take before their instance is stopped."),
  bodyLimit: sizeWithin(1024, 1024 ** 5, "expected a size of at least 1KiB")
    .prefault("1GiB")
    .describe("The largest request body that is passed on; a larger one is answered 413."),
  headerLimit: sizeWithin(1024, 1024 ** 2, "expected a size from 1KiB to 1MiB")
    .prefault("32KiB")
    .describe("The largest head of a request; a larger one is answered 431."),
  headerCount: wholeNumber("a whole number", 10, 2000)
    .default(100)
    .describe("The most header lines of a request; more are answered 431."),
  headerTimeout: durationWithin(SECOND, HOUR)
    .prefault("15s")
    .describe("How long the head of a request may take to arrive; then it is answered 408."),
  bodyTimeout: durationWithin(SECOND, HOUR)
    .prefault("30s")
    .describe("How long a client may send nothing of a body it announced; then it is answered 408."),
  connectionLimit: wholeNumber("a whole number", 1, 1_000_000)
    .default(8192)
    .describe("The most connections of clients, for each worker; requests on further ones are answered 503."),
  holdLimit: wholeNumber("a whole number", 0, 100_000)
    .default(1000)
    .describe("The most requests, for each worker, that wait for an instance at the same time."),
  trustedProxies: z
    .array(network)
    .default([])
    .describe(
      "Addresses and networks whose X-Forwarded-* and Forwarded headers are believed; else replaced.",
    ),
  tls: tls.prefault({}),
});

const portRange = z
  .tuple(
    [wholeNumber("a port", 1024, 65_535), wholeNumber("a port", 1024, 65_535)],
    "expected two ports, such as [20000, 29999]",
  )
  .refine(([first, last]) => last - first >= 99, "expected the first and the last of at least 100 ports");

const agent = z.strictObject({
  portRange: portRange
    .default([20_000, 29_999])
    .describe("The ports given to instances; outside the range the system gives to outgoing connections."),
  leaseTtl: durationWithin(2 * SECOND, HOUR)
    .prefault("10s")
    .describe("Traffic falls back to proven weights when the server is silent for this long."),
  containerSocket: file()
    .nullable()
    .default(null)
    .describe(
      "The socket of Docker or Podman, for processes with an image; null: /var/run/docker.sock or /run/podman/podman.sock.",
    ),
});

const database = z.strictObject({
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, "expected a URL such as postgres://user@host/database")
    .nullable()
    .default(null)
    .describe("A PostgreSQL of your own, 15 or newer, also read from DATABASE_URL; else the embedded one."),
});

const log = z.strictObject({
  level: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .describe("The least important lines that are written."),
  format: z
    .enum(["auto", "json", "pretty"])
    .default("auto")
    .describe("JSON lines, or text for people; auto: text when standard output is a terminal."),
});

const uploads = z.strictObject({
  maxSize: sizeWithin(1024 ** 2, 64 * 1024 ** 3, "expected a size from 1MiB to 64GiB")
    .prefault("512MiB")
    .describe("The largest archive of a release, or standard input of a command, that is accepted."),
  maxUnpackedSize: sizeWithin(1024 ** 2, 256 * 1024 ** 3, "expected a size from 1MiB to 256GiB")
    .prefault("2GiB")
    .describe("How large its files may be together."),
  maxFiles: wholeNumber("a whole number", 1, 200_000)
    .default(100_000)
    .describe("How many files and links it may hold."),
  maxRatio: wholeNumber("a whole number", 2, 10_000)
    .default(100)
    .describe("How many times its own size an archive may unpack to, once that is more than 16 MiB."),
  expiry: durationWithin(60 * SECOND, 30 * DAY)
    .prefault("24h")
    .describe("How long after its last piece an upload is kept that no release was made of."),
});

const builds = z.strictObject({
  atOnce: wholeNumber("a whole number", 1, 16)
    .default(2)
    .describe("How many builds run at the same time; of one service there is one."),
  waiting: wholeNumber("a whole number", 1, 1_000)
    .default(20)
    .describe("How many builds may wait or run; more are refused."),
});

const retention = z.strictObject({
  evidence: durationWithin(DAY, 3_650 * DAY)
    .prefault("30d")
    .describe("How long the counts behind each verdict, and what commands wrote, are kept."),
  events: durationWithin(HOUR, 3_650 * DAY)
    .prefault("7d")
    .describe("How long events can be read back."),
  releases: wholeNumber("a whole number", 1, 1_000)
    .default(10)
    .describe("The files of how many releases of a service are kept, besides those that are needed anyway."),
});

const signatures = z.strictObject({
  keys: z
    .array(
      z.string().regex(/^RW[A-Za-z0-9+/]{54}$/, "expected a public key of minisign: RW and 54 characters"),
    )
    .default([])
    .describe("Public keys of minisign whose signatures of releases are trusted."),
  required: z
    .boolean()
    .default(false)
    .describe("Whether a release without a trusted signature is refused; else it is warned of."),
});

const secrets = z.strictObject({
  keyFile: file()
    .nullable()
    .default(null)
    .describe(
      "The file of the keys that everything sealed in the database is wrapped with; null: keys/wrapping.key in the data directory.",
    ),
  key: z
    .string()
    .min(1, "expected a line vault-key-1 <id> <base64>")
    .nullable()
    .default(null)
    .describe("The keys themselves, a line each, from the environment; then nothing is written to a file."),
  passphrase: z
    .string()
    .min(12, "expected a passphrase of at least 12 characters")
    .nullable()
    .default(null)
    .describe("A passphrase that gives the key (argon2id); a line each while one replaces another."),
  passphraseFile: file()
    .nullable()
    .default(null)
    .describe("The same in a file, such as a credential of systemd."),
});

export const platformFile = z
  .strictObject({
    dataDirectory: z
      .string()
      .min(1, "expected the path of a directory")
      .default("./data")
      .describe(
        "Everything Mainstay keeps; relative to the file that says so, else to the working directory.",
      ),
    server: server.prefault({}),
    proxy: proxy.prefault({}),
    acme: acme.prefault({}),
    agent: agent.prefault({}),
    database: database.prefault({}),
    log: log.prefault({}),
    uploads: uploads.prefault({}),
    builds: builds.prefault({}),
    retention: retention.prefault({}),
    signatures: signatures.prefault({}),
    metrics: metrics.prefault({}),
    audit: audit.prefault({}),
    secrets: secrets.prefault({}),
    freeze: freezeList
      .default([])
      .describe("When nothing new is brought in: `[{ from: fri 16:00, to: mon 08:00, timezone, reason }]`."),
    productionEnvironments: z
      .array(serviceName, "expected a list of environments, such as [production]")
      .default(["production"])
      .describe("Environments in which what is forced takes a second factor."),
    approvals: approvalRules
      .default([])
      .describe(
        "Which changes wait for approval: `[{ environment, kinds, role, count, allowRequester, expiry }]`.",
      ),
    channels,
    problems: problems.prefault({}),
    beat: beat.prefault({}),
    identity: identity.prefault({}),
  })
  .check(refuseClashes);

/** The platform's configuration after parsing: durations in ms, sizes in bytes, defaults filled in. */
export type PlatformConfig = z.output<typeof platformFile>;

/** Paths whose values are never shown. */
export const SECRET_PLATFORM_PATHS: readonly string[] = [
  "database.url",
  "channels",
  "beat.url",
  "metrics.remote.basicAuth",
  "metrics.remote.authorization",
  "secrets.key",
  "secrets.passphrase",
];

/** What cannot be said of one key alone. */
function refuseClashes(context: z.core.ParsePayload<PlatformConfig>): void {
  refusePortClashes(context);
  refuseUnknownChannels(context);
  refuseRemoteNowhere(context);
}

function refuseRemoteNowhere({
  value: { metrics: asked },
  issues,
}: z.core.ParsePayload<PlatformConfig>): void {
  if (asked.engine === "local" || asked.remote.url !== null) return;
  const message = 'expected the URL of what answers queries while metrics.engine is "remote"';
  issues.push({ code: "custom", path: ["metrics", "remote", "url"], message, input: null });
}

function refuseUnknownChannels(context: z.core.ParsePayload<PlatformConfig>): void {
  const {
    audit: { keepers },
    channels: known,
  } = context.value;
  for (const [name, keeper] of Object.entries(keepers)) {
    if (keeper.kind !== "channel" || Object.hasOwn(known, keeper.channel)) continue;
    const message = `expected one of the channels: ${Object.keys(known).join(", ") || "there are none"}`;
    const path = ["audit", "keepers", name, "channel"];
    context.issues.push({ code: "custom", path, message, input: keeper.channel });
  }
}

function refusePortClashes(context: z.core.ParsePayload<PlatformConfig>): void {
  const { server: control, proxy: traffic, agent: instances } = context.value;
  const [first, last] = instances.portRange;
  const report = (path: string[], message: string, input: unknown) =>
    context.issues.push({ code: "custom", path, message, input });
  const { port: tlsPort } = traffic.tls;
  for (const [place, used] of [
    [["server", "port"], control.port],
    [["proxy", "port"], traffic.port],
    [["proxy", "tls", "port"], tlsPort ?? 0],
  ] as const) {
    if (used >= first && used <= last) {
      report([...place], `expected a port outside agent.portRange, ${first} to ${last}`, used);
    }
  }
  if (control.port !== 0 && control.port === traffic.port) {
    report(["proxy", "port"], `expected another port than server.port, ${control.port}`, traffic.port);
  }
  if (tlsPort === control.port || tlsPort === traffic.port) {
    report(["proxy", "tls", "port"], "expected another port than server.port and proxy.port", tlsPort);
  }
  if (control.publicHost !== null && (tlsPort === null || control.port === 0)) {
    const message =
      "expected none without proxy.tls.port and a fixed server.port: it is reached over HTTPS alone";
    report(["server", "publicHost"], message, control.publicHost);
  }
}
