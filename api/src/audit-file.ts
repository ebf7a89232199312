import { z } from "zod";
import { durationWithin } from "./unit-schemas.ts";

/**
 * The part of `mainstay.platform.yaml` about the audit log: who may read it, and who keeps its checkpoints.
 */

const SECOND = 1_000;
const DAY = 86_400_000;
const KEEPERS_MAX = 20;
const LOGS_MAX = 100;

const vkey = z
  .string()
  .regex(
    /^[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+=*$/,
    "expected a key of the form <name>+<eight hexadecimal digits>+<base64>",
  );

const every = (usual: string) => durationWithin(SECOND, 30 * DAY).prefault(usual);

const fileKeeper = z.strictObject({
  kind: z.literal("file"),
  path: z.string().min(1, "expected the path of a file, best on another mount"),
  every: every("5m"),
});
const channelKeeper = z.strictObject({
  kind: z.literal("channel"),
  channel: z.string().min(1, "expected the name of one of the channels"),
  every: every("1d"),
});
const witnessKeeper = z.strictObject({
  kind: z.literal("witness"),
  url: z
    .url({ protocol: /^https?$/, error: "expected the http:// or https:// URL of a witness" })
    .describe("the submission prefix, as in https://other.example/audit/witness"),
  vkey: vkey.optional(),
  every: every("5m"),
});

const keeper = z.discriminatedUnion("kind", [fileKeeper, channelKeeper, witnessKeeper], {
  error: 'expected a kind: "file", "channel" or "witness"',
});
export type KeeperConfig = z.output<typeof keeper>;
export type KeeperOf<Kind extends KeeperConfig["kind"]> = Extract<KeeperConfig, { kind: Kind }>;

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "expected a name of lower-case letters, digits and dashes, at most 31");

export const audit = z.strictObject({
  origin: z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9._/-]{0,198}[a-z0-9])?$/,
      "expected a name in lower case such as mainstay.example.com/audit",
    )
    .nullable()
    .default(null)
    .describe(
      "The name of the audit log, which it keeps from its first entry on; null: that of the host, and /audit.",
    ),
  publicLog: z
    .boolean()
    .default(false)
    .describe("Whether anybody may read checkpoint and tiles under /audit/log; else it takes audit.read."),
  keepers: z
    .record(name, keeper)
    .refine((all) => Object.keys(all).length <= KEEPERS_MAX, `expected at most ${KEEPERS_MAX} keepers`)
    .default({})
    .describe("Who keeps checkpoints of the audit log elsewhere, by name: docs/guides/audit.md."),
  witnessOf: z
    .array(vkey)
    .max(LOGS_MAX, `expected at most ${LOGS_MAX} keys`)
    .default([])
    .describe("Keys of the logs whose checkpoints this platform keeps and cosigns, as their witness."),
});
