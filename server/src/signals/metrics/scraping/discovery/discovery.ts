import type { TargetGroup } from "../scrape-job.ts";

/** Finds targets again and again. */
export interface Discovery {
  /** As it is written in the configuration. */
  kind: "file_sd_configs" | "dns_sd_configs";
  /**
   * What is found now. What cannot be found out stays as it was, and is told in `problems`; it does not
   * throw.
   */
  look(): Promise<Found>;
  refreshMs: number;
}

export interface Found {
  groups: readonly TargetGroup[];
  problems: readonly string[];
}
