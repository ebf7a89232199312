import type { LabelLimits, RelabelRule } from "@mainstay/metrics/scrape";
import type { Refused } from "../refused.ts";
import type { Origin } from "../reserved-names.ts";

/** What is done to the samples of one target; plain data, for it crosses to the thread of the store. */
export interface TargetSpec {
  origin: Origin;
  /** By name. */
  labels: Readonly<Record<string, string>>;
  honorLabels: boolean;
  honorTimestamps: boolean;
  relabelRules: readonly RelabelRule[];
  sampleLimit: number;
  limits: LabelLimits;
}

export type TextFormat = "prometheus" | "openmetrics";

/** What came of asking a target once. */
export interface ScrapeRequest {
  /** Of the target, the same from its first scrape to its end. */
  id: string;
  spec: TargetSpec;
  atMs: number;
  durationMs: number;
  /** The text, or why there is none. */
  answer: { text: string; format: TextFormat } | { error: string };
}

export interface ScrapeOutcome {
  /** Why the target counts as down. */
  error: string | null;
  /** How many samples of an answer that was well the store did not take, and why. */
  refused: readonly Refused[];
}

/** Where scrapes go. */
export interface ScrapeSink {
  /** Keeps what a target answered, what is told of the scrape itself, and the ends of series. */
  takeScrape(request: ScrapeRequest): Promise<ScrapeOutcome>;
  /** The target is no more: its series end. */
  endTarget(request: { id: string; atMs: number }): Promise<void>;
}
