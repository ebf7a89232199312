import type { LabelLimits, RelabelRule } from "@mainstay/metrics/scrape";

/** What is done to the samples of one target; plain data, for it may cross to another thread. */
export interface TargetSpec {
  /** By name. */
  labels: Readonly<Record<string, string>>;
  honorLabels: boolean;
  honorTimestamps: boolean;
  relabelRules: readonly RelabelRule[];
  sampleLimit: number;
  limits: LabelLimits;
}

export interface ScrapedText {
  atMs: number;
  durationMs: number;
  answer: { text: string; format: "prometheus" | "openmetrics" } | { error: string };
}

/** Where scrapes go. A target is known by an id of its own from its first scrape until its end. */
export interface ScrapeSink {
  /** Resolves with what is wrong with the answer, null when nothing is. Rejects when nothing can be kept. */
  take(id: string, spec: TargetSpec, scrape: ScrapedText): Promise<{ error: string | null }>;
  /** The target is no more: its series end. */
  end(id: string, atMs: number): Promise<void>;
}
