import type { StoreLimits } from "@mainstay/metrics/tsdb";
import type { RemoteSettings } from "./sending/remote-settings.ts";

/** What the thread is started with. */
export interface ThreadSettings {
  directory: string;
  store: Partial<Omit<StoreLimits, "retentionRules">>;
  /** Series that are kept for another time; by the width of the buckets in milliseconds. */
  rules: readonly { match: string; keepMs: readonly (readonly [number, number])[] }[];
  query: QueryBudget;
  /** The most that a delivery may hold once it is unpacked. */
  bodyBytes: number;
  /** About how much a frame of remote-read holds. */
  readFrameBytes: number;
  /** Attributes of OTLP resources that become labels. */
  promotedAttributes: readonly string[];
  /** A label that series of other Mainstays bear and ours never do; null: theirs are not taken. */
  othersLabel: string | null;
  statsd: StatsdSettings | null;
  /** Where everything is sent on to. */
  remotes: readonly RemoteSettings[];
}

/** What one query may take. */
export interface QueryBudget {
  samples: number;
  bytes: number;
  timeoutMs: number;
}

export interface StatsdSettings {
  host: string;
  port: number;
  intervalMs: number;
  /** The most series. */
  series: number;
}
