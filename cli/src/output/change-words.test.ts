import type { ChangeResource, EvidenceResource, TimelineEntry } from "@mainstay/api";
import { describe, expect, it } from "vitest";
import { entryLine, evidenceLine, outcomeLine, statusLine } from "./change-words.ts";

const metric = {
  metric: "errors",
  verdict: "insufficient",
  eValue: 12.345,
  threshold: 200,
  designEffect: 1,
  ratio: 2,
  candidate: { total: 100, bad: 3 },
  stable: { total: 900, bad: 9 },
  noHarmEValue: 1,
  noHarmThreshold: 40,
  smallestDetectableRatio: 4,
  reason: "too little is known",
} as const;
const evidence: EvidenceResource = { ...metric, verdict: "insufficient", perMetric: [metric] };

const change = {
  id: "chg_1",
  service: "shop",
  environment: "production",
  candidate: "rel_new",
  stable: "rel_old",
  state: "stepping",
  stage: 0,
  stages: [{ weight: 0.1, bakeMs: 60_000 }],
  weight: 0.1,
  stageStartedAt: "2026-11-01T12:00:00.000Z",
  evidence,
  outcome: null,
  ...{ awaited: [] as ChangeResource["awaited"], gates: [] as ChangeResource["gates"] },
} as ChangeResource;

describe("a change in words", () => {
  it("shows the gates that are in the way, and none that were passed", () => {
    const gate = { state: "no-data", value: null, reason: "", askedAt: null, since: null } as const;
    const gates = [
      { ...gate, name: "latency" },
      { ...gate, name: "queue", state: "passed" as const },
    ];
    const line = statusLine({ ...change, gates, evidence: null }, Date.parse("2026-11-01T12:00:12.700Z"));
    expect(line).toBe("stepping 10%, 12s of 1m · gate latency: no data");
  });

  it("shows the share, how far the stage is, and the evidence with its numbers", () => {
    const line = statusLine(change, Date.parse("2026-11-01T12:00:12.700Z"));
    expect(line).toBe(`stepping 10%, 12s of 1m · ${evidenceLine(evidence)}`);
    expect(line).toContain("candidate 3/100, stable 9/900, e 12 of 200");
  });

  it("tells a timeline entry with its time, its stage, who moved it and why", () => {
    const entry = {
      at: "2026-11-01T12:00:00.000Z",
      to: "stepping",
      stage: 0,
      by: "judge",
      reason: "no harm",
    };
    expect(entryLine(entry as TimelineEntry, change.stages)).toBe(
      "12:00:00  stepping 10%        judge: no harm",
    );
  });

  it("says after an undo why, and what serves now", () => {
    const undone = { ...change, state: "undone", outcome: "worse" } as const;
    expect(outcomeLine(undone)).toBe("undone: worse; rel_old serves as before");
    expect(outcomeLine({ ...undone, stable: null })).toMatch(/nothing was serving before$/);
  });
});
