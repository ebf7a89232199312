import type { RelabelRule } from "@mainstay/metrics/scrape";
import type { Access } from "../../connection/access.ts";

/** Where samples are sent, and how; plain data, for it crosses to the thread of the store. */
export interface RemoteSettings {
  name: string;
  url: string;
  /** auto: 2, and 1 when the receiver does not know 2. */
  protocol: "auto" | 1 | 2;
  timeoutMs: number;
  access: Access;
  relabelRules: readonly Partial<RelabelRule>[];
  sendsExemplars: boolean;
  sendsNativeHistograms: boolean;
  samplesPerSend: number;
  /** How long fewer samples wait for others. */
  deadlineMs: number;
  backoffMs: { min: number; max: number };
  /** Samples that are older are not sent; 0: they all are. */
  sampleAgeMs: number;
  /** More of the log is not kept for it. */
  backlogBytes: number;
}
