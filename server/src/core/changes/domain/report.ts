import { BUCKETS, type ReportResource } from "@mainstay/api";
import type { ChangeRow, TimelineRow } from "../store.ts";

type Passage = ReportResource["passages"][number];

/** Every state a change passed, how long it stayed, and who moved it on with which evidence. */
export function passagesOf({ plan }: ChangeRow, timeline: readonly TimelineRow[]): Passage[] {
  return timeline.map((entry, index): Passage => {
    const next = timeline[index + 1];
    const stage = entry.to_state === "stepping" ? plan.stages[entry.stage] : undefined;
    return {
      state: entry.to_state,
      stage: entry.stage,
      weight: stage ? stage.weight / BUCKETS : null,
      enteredAt: entry.at.toISOString(),
      durationMs: next ? next.at.getTime() - entry.at.getTime() : null,
      leftBy: next?.by ?? null,
      reason: next?.reason ?? null,
      evidence: next?.evidence ?? null,
    };
  });
}
