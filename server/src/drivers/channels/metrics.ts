import type { Metrics } from "../../kernel/metrics.ts";

/** What is counted of messages and of attempts to send them. */
export function createChannelMetrics(metrics: Pick<Metrics, "counter">) {
  const messages = metrics.counter({
    name: "mainstay_channels_messages_total",
    help: "Messages: accepted, grouped into one that waits, delivered, failed for good, or dropped.",
    labels: ["channel", "outcome"],
  });
  const attempts = metrics.counter({
    name: "mainstay_channels_attempts_total",
    help: "Attempts to send a message: delivered, refused or gone.",
    labels: ["channel", "outcome"],
  });
  const beats = metrics.counter({
    name: "mainstay_channels_beats_total",
    help: "Beats: sent, failed, or withheld because something is not well.",
    labels: ["outcome"],
  });
  return {
    message: (
      channel: string,
      outcome: "accepted" | "grouped" | "delivered" | "failed" | "dropped",
      by = 1,
    ): void => messages.add({ channel, outcome }, by),
    attempt: (channel: string, outcome: string): void => attempts.add({ channel, outcome }),
    beat: (outcome: "sent" | "failed" | "withheld"): void => beats.add({ outcome }),
  };
}
export type ChannelMetrics = ReturnType<typeof createChannelMetrics>;
