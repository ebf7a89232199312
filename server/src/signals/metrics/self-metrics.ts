import type { MetricFamily } from "../../kernel/metrics.ts";
import type { StoreStats } from "./metrics-store.ts";
import { remoteWriteMetrics } from "./remote-write-metrics.ts";
import type { ThreadKeeper } from "./thread/keeper.ts";

type Sample = MetricFamily["samples"][number];

/** What the store and its thread cost and refuse, for /metrics. */
export async function storeMetrics(keeper: ThreadKeeper): Promise<MetricFamily[]> {
  const ofThread = [
    gauge(
      "mainstay_metrics_store_up",
      "Whether the metrics store is open.",
      Number(keeper.state().state === "ready"),
    ),
    counter(
      "mainstay_metrics_store_restarts_total",
      "Restarts of the thread of the store.",
      keeper.restarts(),
    ),
    gauge(
      "mainstay_metrics_store_pending_calls",
      "Calls that the store has not answered yet.",
      keeper.pending(),
    ),
  ];
  if (keeper.state().state !== "ready") return ofThread;
  const [stats, remotes] = await Promise.all([keeper.store.stats(), keeper.store.remoteWrites()]);
  return [...ofThread, ...ofStore(stats), ...remoteWriteMetrics(remotes)];
}

function ofStore(stats: StoreStats): MetricFamily[] {
  const { head, counts, blocks, blockBytes, walBytes, quarantined, refusedSeries, thread } = stats;
  const refusedSamples = { ...counts.refused, "reserved-name": stats.refusedNames };
  const byReason = Object.entries(refusedSamples).map(([reason, value]) => ({ labels: { reason }, value }));
  const seriesByReason = new Map<string, number>();
  for (const { reason, count } of refusedSeries)
    seriesByReason.set(reason, (seriesByReason.get(reason) ?? 0) + count);
  const refused = [...seriesByReason].map(([reason, value]) => ({ labels: { reason }, value }));
  return [
    gauge("mainstay_metrics_head_series", "Series in memory.", head.series),
    gauge("mainstay_metrics_head_bytes", "Memory of their samples.", head.sampleBytes),
    gauge("mainstay_metrics_wal_bytes", "The log on the disk.", walBytes),
    gauge("mainstay_metrics_blocks", "Blocks on the disk.", blocks.length),
    gauge("mainstay_metrics_blocks_bytes", "What blocks take on the disk.", blockBytes),
    gauge("mainstay_metrics_quarantined_blocks", "Damaged blocks that were put aside.", quarantined.length),
    gauge(
      "mainstay_metrics_thread_heap_bytes",
      "JavaScript heap of the thread of the store.",
      thread.heapBytes,
    ),
    gauge("mainstay_metrics_thread_buffer_bytes", "Buffers of the thread of the store.", thread.bufferBytes),
    counter("mainstay_metrics_samples_total", "Samples that were taken in.", counts.appended),
    counter("mainstay_metrics_repeated_samples_total", "Samples that were there before.", counts.repeated),
    family("mainstay_metrics_refused_samples_total", "Samples that were refused.", byReason),
    family("mainstay_metrics_refused_series_total", "New series that a budget refused.", refused),
    counter(
      "mainstay_metrics_full_disk_refusals_total",
      "Calls that a full disk refused.",
      counts.refusedByDisk,
    ),
    ...ofStatsd(stats),
    counter(
      "mainstay_metrics_failed_maintenance_total",
      "Times that cutting, merging or retention failed.",
      counts.failedMaintenance,
    ),
  ];
}

function ofStatsd({ statsd }: StoreStats): MetricFamily[] {
  if (statsd === null) return [];
  const refused = Object.entries(statsd.refused).map(([reason, value]) => ({ labels: { reason }, value }));
  return [
    counter("mainstay_metrics_statsd_lines_total", "Lines of StatsD that came.", statsd.lines),
    family("mainstay_metrics_statsd_refused_lines_total", "Lines that were not taken.", refused),
  ];
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: "gauge", samples: [{ labels: {}, value }] };
}

function counter(name: string, help: string, value: number): MetricFamily {
  return family(name, help, [{ labels: {}, value }]);
}

function family(name: string, help: string, samples: Sample[]): MetricFamily {
  return { name, help, type: "counter", samples };
}
