import { z } from "zod";
import { PROBLEM_KINDS, TOPICS } from "./messages-file.ts";

/** Problems, channels and deliveries as they go over the wire. Times are RFC 3339 in UTC. */

const time = z.iso.datetime();

export const problemResource = z
  .object({
    kind: z.enum(PROBLEM_KINDS),
    subject: z.string(),
    service: z.string().nullable(),
    environment: z.string().nullable(),
    summary: z.string(),
    since: time,
  })
  .meta({ id: "Problem" });
export type ProblemResource = z.infer<typeof problemResource>;

export const channelResource = z
  .object({
    name: z.string(),
    kind: z.string(),
    target: z.string().describe("where it leads, without what may be secret"),
    events: z.array(z.enum(TOPICS)),
    state: z.enum(["ready", "failing", "disabled"]),
    problem: z.string().nullable().describe("why it is disabled, or what the last attempt came to"),
    pending: z.int(),
    delivered: z.int().describe("of those that are still kept, as failed and pending"),
    failed: z.int(),
    dropped: z.int().describe("never taken up, because too many were pending"),
  })
  .meta({ id: "Channel" });
export type ChannelResource = z.infer<typeof channelResource>;

export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export const deliveryResource = z
  .object({
    id: z.string().describe("the webhook-id, the same in every attempt"),
    channel: z.string(),
    topic: z.enum([...TOPICS, "test"]),
    mood: z.enum(["problem", "recovered", "question", "test"]),
    subject: z.string(),
    title: z.string(),
    suppressed: z.int().describe("earlier messages on the same subject that this one stands for too"),
    state: z.enum(DELIVERY_STATES),
    attempts: z.int(),
    nextAttemptAt: time.nullable(),
    lastAttemptAt: time.nullable(),
    lastError: z.string().nullable(),
    createdAt: time,
    finishedAt: time.nullable(),
  })
  .meta({ id: "Delivery" });
export type DeliveryResource = z.infer<typeof deliveryResource>;

export const beatResource = z
  .object({
    target: z.string().nullable().describe("null: no beat is configured"),
    intervalMs: z.int(),
    state: z.enum(["off", "beating", "withheld", "failing"]),
    lastBeatAt: time.nullable().describe("when it last arrived, since the server was started"),
    problem: z.string().nullable(),
  })
  .meta({ id: "Beat" });
export type BeatResource = z.infer<typeof beatResource>;
