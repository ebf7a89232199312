import type { ReportResource } from "@mainstay/api";
import { expect, it } from "vitest";
import { reportMarkdown } from "./report-words.ts";

const AT = "2026-11-01T12:00:00.000Z";
const passage = {
  stage: -1,
  weight: null,
  enteredAt: AT,
  durationMs: 1500,
  leftBy: "platform",
  evidence: null,
};
const report: ReportResource = {
  durationMs: 93_000,
  passages: [
    { ...passage, state: "gating", reason: "every instance passed its health gate" },
    { ...passage, state: "stepping", stage: 0, weight: 0.1, leftBy: "judge", reason: "worse | much" },
    { ...passage, state: "undone", durationMs: null, leftBy: null, reason: null },
  ],
  audit: [],
  links: { timeline: "/api/v1/changes/chg_1/timeline" },
  change: {
    ...{ id: "chg_1", kind: "release", service: "shop", environment: "production" },
    ...{ candidate: "rel_new", stable: "rel_old", state: "undone", stage: 0, steps: [], evidence: null },
    stages: [
      { weight: 0.1, bakeMs: 3_600_000 },
      { weight: 1, bakeMs: 0 },
    ],
    ...{ stageStartedAt: AT, weight: 0, proven: 0, outcome: "worse", reason: "new prices" },
    requestedBy: { type: "user", id: "usr_1", name: "ann" },
    findings: [],
    gates: [
      { name: "queue", state: "broken", value: 4000, reason: "4000, more than 100", askedAt: AT, since: AT },
    ],
    ...{ planDigest: "d1", approvals: [], awaited: [], approvalExpiresAt: null },
    ...{ firstCandidateAt: AT, createdAt: AT, updatedAt: AT, finishedAt: AT },
  },
};

it("a report says what, who, why and how it went, and keeps its tables whole", () => {
  const lines = reportMarkdown(report).split("\n");
  expect(lines[0]).toBe("# release of shop in production: undone");
  expect(lines).toContain("undone: worse; rel_old serves as before.");
  expect(lines).toContain("| requested by | ann, 2026-11-01T12:00:00.000Z |");
  expect(lines).toContain("| why | new prices |");
  expect(lines).toContain("| plan | 10% for 1h → 100% |");
  expect(lines).toContain("| took | 1m33s |");
  expect(lines).toContain("| stepping 10% | 12:00:00 | 1s500ms | judge: worse \\| much |");
  expect(lines).toContain("Nothing was compared.");
  expect(lines).toContain("- queue: fails (4000, more than 100)");
});
