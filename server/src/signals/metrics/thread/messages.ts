import type { MetricsFault, MetricsStore } from "../metrics-store.ts";

export type Method = keyof MetricsStore;
export type Input<Name extends Method> = Parameters<MetricsStore[Name]>[0];
export type Output<Name extends Method> = Awaited<ReturnType<MetricsStore[Name]>>;

/** To the thread. */
export type ToThread = { id: number; method: Method; input: unknown } | { end: true };

/** From the thread: that its store is open, or cannot be opened; then one for each call. */
export type FromThread =
  | { kind: "opened"; series: number; tookMs: number }
  | { kind: "failed"; message: string }
  /** Upkeep that did not work; null: it works again. */
  | { kind: "upkeep"; trouble: string | null }
  /** Whose new series a budget refuses, and what to do; null: nobody's of late. */
  | { kind: "budget"; trouble: string | null }
  /** What keeps samples from reaching a receiver; null: nothing any more. */
  | { kind: "sending"; name: string; trouble: string | null }
  | { kind: "answer"; id: number; value: unknown }
  /** Without a fault: nobody foresaw it. */
  | { kind: "refusal"; id: number; fault: MetricsFault | null; message: string };
