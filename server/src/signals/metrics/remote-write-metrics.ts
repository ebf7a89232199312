import type { RemoteWriteResource } from "@mainstay/api";
import type { MetricFamily } from "../../kernel/metrics.ts";

type Sample = MetricFamily["samples"][number];

/** What is sent on, and what of it does not arrive, for /metrics. */
export function remoteWriteMetrics(remotes: readonly RemoteWriteResource[]): MetricFamily[] {
  if (remotes.length === 0) return [];
  const each = (value: (remote: RemoteWriteResource) => number | null): Sample[] =>
    remotes.flatMap((remote) => {
      const found = value(remote);
      return found === null ? [] : [{ labels: { remote: remote.name }, value: found }];
    });
  const by = (label: string, counts: (remote: RemoteWriteResource) => Record<string, number>): Sample[] =>
    remotes.flatMap((remote) =>
      Object.entries(counts(remote)).map(([key, value]) => ({
        ...{ labels: { remote: remote.name, [label]: key }, value },
      })),
    );
  const family = (
    type: MetricFamily["type"],
    [name, help]: readonly [string, string],
    samples: Sample[],
  ) => ({
    ...{ name: `mainstay_metrics_remote_write_${name}`, help, type, samples },
  });
  const total = (name: string, help: string, samples: Sample[]) => family("counter", [name, help], samples);
  const gauge = (name: string, help: string, samples: Sample[]) => family("gauge", [name, help], samples);
  return [
    total(
      "sent_samples_total",
      "Samples that a receiver took.",
      each((remote) => remote.sentSamples),
    ),
    total(
      "retried_samples_total",
      "Samples that had to be sent again.",
      each((remote) => remote.retriedSamples),
    ),
    total(
      ...(["failed_samples_total", "Samples that a receiver refused for good."] as const),
      by("status", (remote) => remote.failedSamples),
    ),
    total(
      ...(["dropped_samples_total", "Samples that were never sent."] as const),
      by("reason", (remote) => remote.droppedSamples),
    ),
    gauge(
      "up",
      "Whether the last request was answered.",
      each(({ state }) => Number(state === "sending")),
    ),
    gauge(
      "backlog_bytes",
      "The part of the log that is not sent as yet.",
      each((remote) => remote.backlogBytes),
    ),
    gauge(
      ...(["behind_seconds", "From the newest sample that was sent to the newest of all."] as const),
      each((remote) => remote.behindSeconds),
    ),
  ];
}
