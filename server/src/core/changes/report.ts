import type { ReportResource } from "@mainstay/api";
import type { Audit } from "../audit/index.ts";
import type { Changes } from "./changes.ts";
import { passagesOf } from "./domain/report.ts";
import type { TimelineRow } from "./store.ts";
import { toChange } from "./resources.ts";

/** More acts than a change has states; beyond them the audit log itself is to be read. */
const AUDIT_LIMIT = 200;

export interface ReportDependencies {
  changes: Pick<Changes, "change" | "timeline">;
  audit: Pick<Audit, "list">;
}

/** Everything about one change in one document: for people who were not there. */
export function createReport({ changes, audit }: ReportDependencies) {
  return async function report(id: string): Promise<ReportResource> {
    const row = await changes.change(id);
    const [timeline, audited] = await Promise.all([
      changes.timeline(id),
      audit.list({ limit: AUDIT_LIMIT, filter: { change: id } }),
    ]);
    const path = `/api/v1/changes/${id}`;
    return {
      change: toChange(row),
      durationMs: row.finished_at ? durationOf(timeline) : null,
      passages: passagesOf(row, timeline),
      audit: audited.entries.toReversed(),
      links: {
        change: path,
        timeline: `${path}/timeline`,
        replay: `${path}/replay`,
        audit: `/api/v1/audit?change=${id}`,
      },
    };
  };
}

function durationOf(timeline: readonly TimelineRow[]): number {
  const [first, last] = [timeline[0], timeline.at(-1)];
  return first && last ? last.at.getTime() - first.at.getTime() : 0;
}
