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
  const families: Record<string, [help: string, samples: Sample[]]> = {
    sent_samples_total: ["Samples that a receiver took.", each(({ sentSamples }) => sentSamples)],
    retried_samples_total: [
      "Samples that had to be sent again.",
      each(({ retriedSamples }) => retriedSamples),
    ],
    failed_samples_total: [
      "Samples that a receiver refused for good.",
      by("status", ({ failedSamples }) => failedSamples),
    ],
    dropped_samples_total: [
      "Samples that were never sent.",
      by("reason", ({ droppedSamples }) => droppedSamples),
    ],
    up: ["Whether the last request was answered.", each(({ state }) => Number(state === "sending"))],
    backlog_bytes: ["The part of the log that is not sent as yet.", each(({ backlogBytes }) => backlogBytes)],
    behind_seconds: [
      "From the newest sample that was sent to the newest of all.",
      each(({ behindSeconds }) => behindSeconds),
    ],
  };
  return Object.entries(families).map(([name, [help, samples]]) => {
    const type = name.endsWith("_total") ? "counter" : "gauge";
    return { name: `mainstay_metrics_remote_write_${name}`, help, type, samples };
  });
}
