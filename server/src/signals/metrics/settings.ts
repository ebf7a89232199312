import type { MetricsConfig } from "@mainstay/api";
import type { TierSettings } from "@mainstay/metrics/tsdb";
import type { Env } from "./connection/configured-access.ts";
import { remoteSettings } from "./remote-settings.ts";
import type { ThreadSettings } from "./thread/settings.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Widths of the buckets of each tier; 0: samples as they came. */
const RESOLUTIONS_MS = {
  raw: 0,
  minute: MINUTE_MS,
  fiveMinutes: 5 * MINUTE_MS,
  fifteenMinutes: 15 * MINUTE_MS,
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
} as const;
type Tier = keyof typeof RESOLUTIONS_MS;
const TIERS: readonly Tier[] = ["raw", "minute", "fiveMinutes", "fifteenMinutes", "hour", "day"];

interface Place {
  directory: string;
  env: Env;
}

/** What the thread is started with, by the configuration. */
export function threadSettings(config: MetricsConfig, { directory, env }: Place): ThreadSettings {
  const { retention, cardinality, query, outOfOrder, minFree, bodyLimit, statsd, otlp } = config;
  return {
    directory,
    store: {
      outOfOrderMs: outOfOrder,
      minFreeBytes: minFree,
      tiers: TIERS.filter((tier) => retention[tier] > 0).map((tier) => tierOf(tier, retention)),
      budget: {
        series: cardinality.series,
        reservedSeries: Math.min(cardinality.own, Math.floor(cardinality.series / 2)),
        seriesPerMetric: cardinality.perMetric,
        valuesPerLabel: cardinality.perLabel,
        labelsPerSeries: cardinality.labels,
        valueCharacters: cardinality.valueLength,
      },
    },
    rules: retention.rules.map(({ match, ...keep }) => ({
      match,
      keepMs: TIERS.flatMap((tier) => {
        const keepMs = keep[tier];
        return keepMs === undefined ? [] : [[RESOLUTIONS_MS[tier], keepMs] as const];
      }),
    })),
    query: { samples: query.samples, bytes: query.memory, timeoutMs: query.timeout },
    bodyBytes: bodyLimit,
    readFrameBytes: config.read.frame,
    promotedAttributes: otlp.promote,
    othersLabel: config.reservedNames.label,
    statsd: statsd.port === null ? null : { ...statsd, port: statsd.port, intervalMs: statsd.interval },
    remotes: config.remoteWrite.map((remote) => remoteSettings(remote, env)),
  };
}

function tierOf(tier: Tier, retention: MetricsConfig["retention"]): TierSettings {
  const keepBytes = tier === "raw" ? (retention.size ?? Infinity) : Infinity;
  return { resolutionMs: RESOLUTIONS_MS[tier], keepMs: retention[tier], keepBytes };
}
