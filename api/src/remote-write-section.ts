import { z } from "zod";
import { connectionSettings, connectionUrl, refuseTwoProofs } from "./connection-settings.ts";
import { durationWithin, sizeWithin } from "./unit-schemas.ts";

/** The part of `mainstay.platform.yaml` about where samples are sent, in the words of Prometheus. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;
const MIB = 1024 ** 2;
const REMOTES_MAX = 10;

function wholeNumber(min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

const text = () => z.union([z.string(), z.number().transform(String)], "expected text");

const relabelRule = z.strictObject({
  sourceLabels: z.array(z.string()).exactOptional(),
  separator: z.string().exactOptional(),
  regex: text().exactOptional(),
  modulus: z.int("expected a whole number").exactOptional(),
  targetLabel: z.string().exactOptional(),
  replacement: text().exactOptional(),
  action: z
    .enum([
      ...(["replace", "keep", "drop", "hashmod", "labelmap", "labeldrop"] as const),
      ...(["labelkeep", "lowercase", "uppercase", "keepequal", "dropequal"] as const),
    ])
    .exactOptional(),
});

const queueConfig = z.strictObject({
  maxSamplesPerSend: wholeNumber(1, 100_000).default(2_000),
  batchSendDeadline: durationWithin(100, HOUR).prefault("5s"),
  minBackoff: durationWithin(1, HOUR).prefault("30ms"),
  maxBackoff: durationWithin(1, HOUR).prefault("5s"),
  sampleAgeLimit: durationWithin(0, YEAR).prefault("0s"),
  maxBacklog: sizeWithin(MIB, 1024 ** 5, "expected a size of at least 1MiB").prefault("1GiB"),
});

const remote = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "expected a name of letters, digits, dots and dashes")
      .optional(),
    url: connectionUrl,
    protocol: z
      .union([z.literal("auto"), z.literal(1), z.literal(2)], "expected auto, 1 or 2")
      .default("auto"),
    remoteTimeout: durationWithin(100, HOUR).prefault("30s"),
    ...connectionSettings,
    writeRelabelConfigs: z.array(relabelRule, "expected a list of rules").max(100).default([]),
    sendExemplars: z.boolean().default(false),
    sendNativeHistograms: z.boolean().default(false),
    queueConfig: queueConfig.prefault({}),
  })
  .check(refuseTwoProofs)
  .refine(({ queueConfig: { minBackoff, maxBackoff } }) => minBackoff <= maxBackoff, {
    ...{ message: "expected at least minBackoff", path: ["queueConfig", "maxBackoff"] },
  })
  .transform(({ name, ...rest }) => ({ name: name ?? nameOf(rest.url), ...rest }));

/** The host is what people call it. */
function nameOf(url: string): string {
  return new URL(url).host.replaceAll(/[^A-Za-z0-9.-]/g, "-").slice(0, 63);
}

export const remoteWrite = z
  .array(remote, "expected a list of { url: …, … }")
  .max(REMOTES_MAX, `expected at most ${REMOTES_MAX}`)
  .check(({ value, issues }) => {
    const names = value.map(({ name }) => name);
    names.forEach((name, index) => {
      if (names.indexOf(name) === index) return;
      const message = `expected another name: ${name} is taken`;
      issues.push({ code: "custom", path: [index, "name"], message, input: name });
    });
  })
  .default([])
  .describe(
    "Where what is taken in is sent on to by remote-write: `[{ url, … }]`, see docs/guides/remote-write.md.",
  );

export type RemoteWriteConfig = z.output<typeof remoteWrite>[number];
