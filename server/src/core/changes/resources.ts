import { BUCKETS, type ChangeResource, type GateResource, type TimelineEntry } from "@mainstay/api";
import { gatesIn, type GateResult } from "@mainstay/rollout";
import { awaitedOf, expiryOf } from "./domain/approval.ts";
import type { ChangeRow, TimelineRow } from "./store.ts";

/** Rows as they go over the wire. */

export function toChange(row: ChangeRow): ChangeResource {
  const startedAtMs = row.position.stageStartedAtMs;
  return {
    id: row.id,
    kind: row.kind,
    service: row.service,
    environment: row.environment,
    candidate: row.candidate,
    stable: row.stable,
    state: row.state,
    stage: row.stage,
    stages: row.plan.stages.map((stage) => ({ weight: stage.weight / BUCKETS, bakeMs: stage.bakeMs })),
    stageStartedAt: startedAtMs === null ? null : new Date(startedAtMs).toISOString(),
    weight: row.weight / BUCKETS,
    proven: row.proven / BUCKETS,
    steps: row.steps.map(({ driver, act, title, state, stage }) => ({ driver, act, title, state, stage })),
    requestedBy: row.requested_by,
    reason: row.reason,
    outcome: row.outcome,
    evidence: row.evidence,
    gates: gatesOf(row),
    findings: row.findings,
    planDigest: row.plan_digest,
    approvals: row.approvals.map(({ by, at, reason, roles, planDigest }) => {
      const isCurrent = planDigest === row.plan_digest;
      return { by, at, reason, roles, isCurrent };
    }),
    awaited: row.state === "requested" ? awaitedBy(row) : [],
    approvalExpiresAt: row.state === "requested" ? (expiryOf(row)?.toISOString() ?? null) : null,
    firstCandidateAt: row.first_candidate_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

function awaitedBy(row: ChangeRow): ChangeResource["awaited"] {
  if (row.override_approval !== null) return [];
  return awaitedOf(row).map(({ rule: { role, count, allowRequester }, given }) => {
    return { role, count, given, allowRequester };
  });
}

export function toEntry(row: TimelineRow): TimelineEntry {
  return {
    seq: row.seq,
    at: row.at.toISOString(),
    from: row.from_state,
    to: row.to_state,
    stage: row.stage,
    by: row.by,
    reason: row.reason,
    evidence: row.evidence,
    gates: row.gates?.map(toGate) ?? [],
  };
}

/** Those of its position; when it has ended, as they stood last. */
function gatesOf({ plan, position, gates }: ChangeRow): GateResource[] {
  const asked = gates.map(toGate);
  const waiting = gatesIn(plan, position).filter(({ name }) => gates.every((each) => each.name !== name));
  return [...asked, ...waiting.map(({ name }) => ({ ...NOT_ASKED, name }))];
}

const NOT_ASKED = {
  state: "waiting",
  value: null,
  reason: "it was not asked yet",
  askedAt: null,
  since: null,
} as const;

function toGate({ name, state, value, reason, atMs, sinceMs }: GateResult): GateResource {
  // JSON knows no infinity; the words have it.
  const finite = value !== null && Number.isFinite(value) ? value : null;
  const [askedAt, since] = [new Date(atMs).toISOString(), new Date(sinceMs).toISOString()];
  return { name, state, value: finite, reason, askedAt, since };
}
