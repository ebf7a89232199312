import { z } from "zod";
import { freezeList } from "./freeze-file.ts";
import { duration, formatDuration, size } from "./units.ts";

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

function durationWithin(minMs: number, maxMs: number) {
  const message = `expected a duration from ${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return duration().refine((ms) => ms >= minMs && ms <= maxMs, message);
}
function sizeWithin(minBytes: number, maxBytes: number, message: string) {
  return size().refine((bytes) => bytes >= minBytes && bytes <= maxBytes, message);
}

const SECOND = 1_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

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
});

const proxy = z.strictObject({
  host: host().default("0.0.0.0").describe("Where the services' traffic comes in."),
  port: port().default(8080).describe("The port of the services' traffic; 0 takes a free one."),
  workers: wholeNumber("a whole number", 1, 64)
    .default(1)
    .describe("Processes that share the traffic; one serves thousands a second."),
  requestTimeout: durationWithin(SECOND, DAY)
    .prefault("60s")
    .describe("How long a service may be silent before its request counts as failed."),
  drainTimeout: durationWithin(0, DAY)
    .prefault("30s")
    .describe("How long requests in flight may take before their instance is stopped."),
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

const retention = z.strictObject({
  evidence: durationWithin(DAY, 3_650 * DAY)
    .prefault("30d")
    .describe("How long the counts behind each verdict are kept."),
  events: durationWithin(HOUR, 3_650 * DAY)
    .prefault("7d")
    .describe("How long events can be read back."),
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
    agent: agent.prefault({}),
    database: database.prefault({}),
    log: log.prefault({}),
    retention: retention.prefault({}),
    freeze: freezeList
      .default([])
      .describe("When nothing new is brought in: `[{ from: fri 16:00, to: mon 08:00, timezone, reason }]`."),
  })
  .check(refusePortClashes);

/** The platform's configuration after parsing: durations in ms, sizes in bytes, defaults filled in. */
export type PlatformConfig = z.output<typeof platformFile>;

/** Paths whose values are never shown. */
export const SECRET_PLATFORM_PATHS: readonly string[] = ["database.url"];

function refusePortClashes(context: z.core.ParsePayload<PlatformConfig>): void {
  const { server: control, proxy: traffic, agent: instances } = context.value;
  const [first, last] = instances.portRange;
  const report = (path: string[], message: string, input: unknown) =>
    context.issues.push({ code: "custom", path, message, input });
  for (const [room, used] of [["server", control.port] as const, ["proxy", traffic.port] as const]) {
    if (used >= first && used <= last) {
      report([room, "port"], `expected a port outside agent.portRange, ${first} to ${last}`, used);
    }
  }
  if (control.port !== 0 && control.port === traffic.port) {
    report(["proxy", "port"], `expected another port than server.port, ${control.port}`, traffic.port);
  }
}
