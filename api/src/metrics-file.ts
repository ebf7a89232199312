import { z } from "zod";
import { remote } from "./remote-section.ts";
import { remoteWrite } from "./remote-write-section.ts";
import { scrape } from "./scrape-section.ts";
import { durationWithin, sizeWithin } from "./unit-schemas.ts";

/** The part of `mainstay.platform.yaml` about the metrics store. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

function wholeNumber(min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

/** How long buckets of a width are kept. */
const tier = (width: string, usual: string) =>
  durationWithin(0, 20 * YEAR)
    .prefault(usual)
    .describe(`How long buckets of ${width} are kept; 0s: none are made.`);

const keep = durationWithin(0, 20 * YEAR).optional();
const retentionRule = z.strictObject({
  match: z.string("expected a selector of series").min(1, 'expected a selector such as {job="debug"}'),
  ...{ raw: keep, minute: keep, fiveMinutes: keep, fifteenMinutes: keep, hour: keep, day: keep },
});

const retention = z.strictObject({
  raw: durationWithin(HOUR, 20 * YEAR)
    .prefault("15d")
    .describe("How long samples are kept as they came."),
  minute: tier("a minute", "30d"),
  fiveMinutes: tier("five minutes", "90d"),
  fifteenMinutes: tier("fifteen minutes", "180d"),
  hour: tier("an hour", "400d"),
  day: tier("a day", "1825d"),
  size: sizeWithin(16 * MIB, 1024 ** 5, "expected a size of at least 16MiB")
    .nullable()
    .prefault(null)
    .describe(
      "The most that samples as they came take on the disk; beyond it the oldest go; null: no limit.",
    ),
  rules: z
    .array(retentionRule, "expected a list of { match: selector, raw: duration, … }")
    .default([])
    .describe(
      "Series that are kept for another time: `[{ match, raw, minute, fiveMinutes, fifteenMinutes, hour, day }]`, the first that matches.",
    ),
});

const cardinality = z.strictObject({
  series: wholeNumber(100, 100_000_000)
    .default(100_000)
    .describe("The most series at a time; those that are there go on, new ones are refused."),
  own: wholeNumber(0, 100_000_000)
    .default(10_000)
    .describe(
      "How many of them are kept free for what Mainstay measures by itself; others cannot use them up. At most half of `series` is kept.",
    ),
  perMetric: wholeNumber(10, 100_000_000).default(10_000).describe("The most series of one metric."),
  perLabel: wholeNumber(10, 100_000_000).default(50_000).describe("The most values of one label."),
  labels: wholeNumber(5, 1_000).default(30).describe("The most labels of a series."),
  valueLength: wholeNumber(64, 64 * 1024)
    .default(1024)
    .describe("The most characters of the value of a label."),
});

/** What our own series bear: by such a label nobody else's could be told apart. */
const OWN_LABELS = "__name__ job environment service process release instance arm change flag le".split(" ");

const reservedNames = z.strictObject({
  label: z
    .string()
    .regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "expected the name of a label, such as cluster")
    .refine((label) => !OWN_LABELS.includes(label), "expected a label that Mainstay's own series do not bear")
    .nullable()
    .default(null)
    .describe(
      "A label such as cluster that tells other Mainstays apart: metrics whose names begin with mainstay_ are taken from outside with it alone; null: never.",
    ),
});

const query = z.strictObject({
  timeout: durationWithin(SECOND, HOUR)
    .prefault("25s")
    .describe("How long a query may take; server.requestTimeout ends it too."),
  samples: wholeNumber(1_000, 10_000_000_000)
    .default(50_000_000)
    .describe("The most samples that a query reads and makes."),
  memory: sizeWithin(MIB, 64 * GIB, "expected a size from 1MiB to 64GiB")
    .prefault("256MiB")
    .describe("The most memory that a query takes."),
});

const read = z.strictObject({
  concurrency: wholeNumber(1, 1_000)
    .default(10)
    .describe("How many requests of remote-read are answered at a time; others wait."),
  frame: sizeWithin(4096, 64 * MIB, "expected a size from 4KiB to 64MiB")
    .prefault("1MiB")
    .describe("About how much a frame of a streamed answer to remote-read holds."),
});

const statsd = z.strictObject({
  host: z
    .string()
    .min(1, "expected an address to listen on, such as 127.0.0.1")
    .default("127.0.0.1")
    .describe("Where StatsD and DogStatsD are taken in, over UDP, from whoever reaches it."),
  port: wholeNumber(0, 65_535)
    .nullable()
    .default(null)
    .describe("The port of StatsD, which usually is 8125; 0 takes a free one; null: none is open."),
  interval: durationWithin(SECOND, HOUR)
    .prefault("10s")
    .describe("How often what has come in is written as samples."),
  series: wholeNumber(1, 1_000_000).default(10_000).describe("The most series that StatsD may make."),
});

const rules = z.strictObject({
  files: z
    .array(z.string().min(1, "expected the path of a file"), "expected a list of files, such as [rules.yaml]")
    .max(100)
    .default([])
    .describe("Files of rules in the form of Prometheus, read again when they change: docs/guides/rules.md."),
  interval: durationWithin(SECOND, DAY)
    .prefault("1m")
    .describe("How often the rules of a group are evaluated that says nothing else."),
});

const HEAP_BYTES = 64 * MIB;
/** A series with its labels takes 1.1 to 1.3 KiB; what was in the log must fit again after a start. */
const HEAP_BYTES_PER_SERIES = 2048;

const parts = z.strictObject({
  outOfOrder: durationWithin(0, DAY)
    .prefault("30m")
    .describe("How late a sample may come, behind the newest of all; later ones are refused."),
  bodyLimit: sizeWithin(64 * 1024, GIB, "expected a size from 64KiB to 1GiB")
    .prefault("32MiB")
    .describe(
      "The largest request of remote-write and OTLP, as it comes and unpacked, and of JSON, there at most 64MiB.",
    ),
  heap: sizeWithin(HEAP_BYTES, 64 * GIB, "expected a size from 64MiB to 64GiB")
    .prefault("512MiB")
    .describe(
      "The most JavaScript heap of the store's thread; beyond it the thread is started again. At least 64MiB and 2KiB for each of `metrics.cardinality.series`.",
    ),
  minFree: sizeWithin(0, 1024 ** 5, "expected a size")
    .prefault("100MiB")
    .describe("With less free space on the disk no samples are taken in."),
  retention: retention.prefault({}),
  cardinality: cardinality.prefault({}),
  reservedNames: reservedNames.prefault({}),
  query: query.prefault({}),
  engine: z
    .enum(["local", "remote"], 'expected "local" or "remote"')
    .default("local")
    .describe("Who answers queries of the API: the store of Mainstay, or metrics.remote.url."),
  read: read.prefault({}),
  remote: remote.prefault({}),
  scrape: scrape.prefault({}),
  rules: rules.prefault({}),
  remoteWrite,
  statsd: statsd.prefault({}),
  otlp: z
    .strictObject({
      promote: z
        .array(z.string().min(1, "expected the key of an attribute, such as deployment.environment.name"))
        .default([])
        .describe("Attributes of OTLP resources that become labels of all their series."),
    })
    .prefault({}),
});

export const metrics = parts.superRefine(({ heap, cardinality: { series } }, context) => {
  const neededMiB = Math.ceil((HEAP_BYTES + series * HEAP_BYTES_PER_SERIES) / MIB);
  if (heap >= neededMiB * MIB) return;
  const message = `expected at least ${neededMiB}MiB for ${series} series (metrics.cardinality.series)`;
  context.addIssue({ code: "custom", path: ["heap"], message });
});

export type MetricsConfig = z.output<typeof metrics>;
