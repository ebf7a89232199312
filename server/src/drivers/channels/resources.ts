import type { ChannelConfig, ChannelResource, DeliveryResource } from "@mainstay/api";
import type { ChannelRow, DeliveryRow } from "./store.ts";

/** Rows as they go over the wire. */

export function toDelivery(row: DeliveryRow): DeliveryResource {
  const { id, channel, topic, mood, subject, title, suppressed, state, attempts } = row;
  return {
    ...{ id, channel, topic, mood, subject, title, suppressed, state, attempts },
    nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
    lastAttemptAt: row.last_attempt_at?.toISOString() ?? null,
    lastError: row.last_error,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

export interface ChannelFacts {
  name: string;
  config: ChannelConfig;
  target: string;
  row: ChannelRow | undefined;
  last: DeliveryRow | undefined;
  counts: { state: string; count: string }[];
}

export function toChannel({ name, config, target, row, last, counts }: ChannelFacts): ChannelResource {
  const count = (state: string) => Number(counts.find((each) => each.state === state)?.count ?? 0);
  const disabled = row?.disabled_reason ?? null;
  const error = last && last.state !== "delivered" ? last.last_error : null;
  return {
    ...{ name, kind: config.kind, target, events: config.events },
    state: disabled === null ? (error === null ? "ready" : "failing") : "disabled",
    problem: disabled ?? error,
    pending: count("pending"),
    delivered: count("delivered"),
    failed: count("failed"),
    dropped: row?.dropped ?? 0,
  };
}
