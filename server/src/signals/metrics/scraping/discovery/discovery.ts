import type { TargetGroup } from "../scrape-job.ts";

/** Finds targets again and again. */
export interface Discovery {
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
