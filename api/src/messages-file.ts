import { z } from "zod";
import { durationWithin, sizeWithin } from "./unit-schemas.ts";

/** The parts of `mainstay.platform.yaml` that say who is told of what is wrong. */

/** What lasts until it is over. */
export const PROBLEM_KINDS = [
  "change-blocked",
  "change-held",
  "instance-down",
  "crash-loop",
  "certificate-failing",
  "certificate-expiring",
  "disk-low",
  "metrics-failing",
  "agent-lost",
  "channel-failing",
  "audit-log-failing",
  "checkpoint-failing",
  "scrape-failing",
  "series-refused",
  "remote-write-failing",
  "rules-failing",
] as const;
export type ProblemKind = (typeof PROBLEM_KINDS)[number];

/** What a channel can be told of. */
export const TOPICS = ["change-undone", "approval-awaited", ...PROBLEM_KINDS] as const;
export type Topic = (typeof TOPICS)[number];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const CHANNELS_MAX = 20;

const SECRET = "expected { env: NAME } or { file: path }";
/** Where a secret is kept: never in this file itself. */
export const secretSource = z
  .strictObject(
    { env: z.string().min(1).optional(), file: z.string().min(1, "expected the path of a file").optional() },
    SECRET,
  )
  .refine(({ env, file }) => (env === undefined) !== (file === undefined), SECRET);
export type SecretSource = z.output<typeof secretSource>;

const URL_EXPECTED =
  "expected an http:// or https:// URL without a password, or { env: NAME } or { file: path }";
/** Whether the text is a URL for HTTP that names no account. */
export function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
}
const httpUrl = z.string().refine(isHttpUrl, URL_EXPECTED);
/** A URL, or where it is kept: those of many services are secrets. */
const httpTarget = z.union([httpUrl, secretSource], URL_EXPECTED);
export type HttpTarget = z.output<typeof httpTarget>;

const shared = {
  events: z
    .array(z.enum(TOPICS), `expected a list of ${TOPICS.join(", ")}`)
    .min(1, "expected at least one event; leave the key out for all of them")
    .default([...TOPICS]),
  groupWithin: durationWithin(0, DAY).prefault("10m"),
};

const webhook = z.strictObject({
  kind: z.literal("webhook"),
  url: httpTarget,
  secrets: z
    .array(secretSource, `expected a list of secrets, each { env: NAME } or { file: path }`)
    .min(1, "expected at least one secret")
    .max(4, "expected at most four secrets"),
  ...shared,
});

const address = z.email("expected an e-mail address such as ops@example.com");
const smtp = z
  .strictObject({
    host: z.string().min(1, "expected the name of a mail server"),
    port: z.int("expected a port").min(1, "expected a port").max(65_535, "expected a port").optional(),
    tls: z.enum(["starttls", "implicit", "none"]).default("starttls"),
    user: z.string().min(1).optional(),
    password: secretSource.optional(),
    caFile: z.string().min(1, "expected the path of a file").optional(),
  })
  .check(({ value: { user, password, tls }, issues }) => {
    const report = (key: string, message: string) =>
      issues.push({ code: "custom", path: [key], message, input: tls });
    if ((user === undefined) !== (password === undefined))
      report(user === undefined ? "user" : "password", "expected both user and password, or neither");
    if (password !== undefined && tls === "none")
      report("tls", "expected starttls or implicit: a password is not sent in the clear");
  });

const email = z.strictObject({
  kind: z.literal("email"),
  to: z
    .array(address, "expected a list of e-mail addresses")
    .min(1, "expected at least one address")
    .max(50, "expected at most 50 addresses"),
  from: address,
  smtp,
  ...shared,
});

const channel = z.discriminatedUnion("kind", [webhook, email], {
  error: 'expected a kind: "webhook" or "email"',
});
export type ChannelConfig = z.output<typeof channel>;
export type ChannelKind = ChannelConfig["kind"];
export type ChannelOf<Kind extends ChannelKind> = Extract<ChannelConfig, { kind: Kind }>;

const channelName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "expected a name of lower-case letters, digits and dashes, at most 31");

export const channels = z
  .record(channelName, channel)
  .refine((all) => Object.keys(all).length <= CHANNELS_MAX, `expected at most ${CHANNELS_MAX} channels`)
  .default({})
  .describe("Who is told of what is wrong, by name: docs/guides/messages.md.");

export const problems = z.strictObject({
  diskFree: sizeWithin(0, 1024 ** 5, "expected a size such as 1GiB")
    .prefault("1GiB")
    .describe("Less space than this where the data lies is a problem; 0B: never."),
  certificateExpiry: durationWithin(0, 365 * DAY)
    .prefault("14d")
    .describe("A certificate that ends sooner is a problem; a short-lived one in its last fifth; 0s: never."),
  heldFor: durationWithin(SECOND, 30 * DAY)
    .prefault("1h")
    .describe("How long a change may wait for evidence after the bake time of its stage."),
  downFor: durationWithin(SECOND, DAY)
    .prefault("30s")
    .describe("How long instances, or the agent, may be away before that is a problem."),
});

export const beat = z.strictObject({
  url: httpTarget
    .nullable()
    .default(null)
    .describe(
      "Asked again and again while server, agent and database are well, so that silence is noticed elsewhere.",
    ),
  interval: durationWithin(SECOND, DAY).prefault("60s").describe("How often."),
  method: z.enum(["GET", "POST"]).default("GET").describe("How it is asked."),
});
