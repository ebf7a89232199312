import { z } from "zod";
import { actorResource } from "./resources.ts";
import { serviceName } from "./service-name.ts";
import { CHANGE_KINDS, CHANGE_STATES, GATE_STATES, SEVERITIES, VERDICTS } from "./words.ts";

/** Changes, their evidence and their timeline. */

const time = z.iso.datetime();
const share = z.number().min(0).max(1).describe("share of the traffic, 0 to 1");

const tally = z.object({ total: z.number(), bad: z.number() });
export const evidenceResource = z
  .object({
    verdict: z.enum(VERDICTS),
    eValue: z.number(),
    threshold: z.number(),
    designEffect: z.number(),
    smallestDetectableRatio: z.number().nullable(),
    limit: z.string().optional().describe("the absolute ceiling that was broken, in words"),
    perMetric: z.array(
      z.object({
        metric: z.string(),
        verdict: z.enum(VERDICTS),
        eValue: z.number(),
        threshold: z.number(),
        designEffect: z.number(),
        ratio: z.number().nullable(),
        candidate: tally,
        stable: tally,
        noHarmEValue: z.number(),
        noHarmThreshold: z.number(),
        smallestDetectableRatio: z.number().nullable(),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: "Evidence" });
export type EvidenceResource = z.infer<typeof evidenceResource>;

export const gateResource = z
  .object({
    name: z.string(),
    state: z.enum(GATE_STATES).describe("waiting: not asked yet; no-data: nothing answered"),
    value: z.number().nullable().describe("the worst one; null without data, and when it is not finite"),
    reason: z.string().describe("in words, with its numbers"),
    askedAt: time.nullable(),
    since: time.nullable().describe("since when it has been in this state"),
  })
  .meta({ id: "Gate" });
export type GateResource = z.infer<typeof gateResource>;

export const stepResource = z
  .object({
    driver: z.string(),
    act: z.string(),
    title: z.string(),
    state: z.enum(CHANGE_STATES),
    stage: z.int().nullable(),
  })
  .meta({ id: "Step" });

export const findingResource = z
  .object({
    code: z.string(),
    severity: z.enum(SEVERITIES).describe("an error stops the change, a warning is shown and recorded"),
    message: z.string(),
    remedy: z.string(),
    isForceable: z.boolean().describe("whether an admin may go on in spite of it"),
    isForced: z.boolean(),
    about: z.string().optional().describe("the other service that it is about"),
  })
  .meta({ id: "Finding" });
export type FindingResource = z.infer<typeof findingResource>;

export const approvalResource = z
  .object({
    by: actorResource,
    at: time,
    reason: z.string().nullable(),
    roles: z.array(z.string()).describe("for which it counts"),
    isCurrent: z.boolean().describe("false once the plan was altered after it"),
  })
  .meta({ id: "Approval" });

export const awaitedResource = z
  .object({
    role: z.string(),
    count: z.int().describe("people who have to approve"),
    given: z.int().describe("of these, how many have"),
    allowRequester: z.boolean(),
  })
  .meta({ id: "AwaitedApproval" });

export const changeResource = z
  .object({
    id: z.string(),
    kind: z.string(),
    service: z.string(),
    environment: z.string(),
    candidate: z.string(),
    stable: z.string().nullable(),
    state: z.enum(CHANGE_STATES),
    stage: z.int().describe("-1 before the first"),
    stages: z.array(z.object({ weight: share, bakeMs: z.number() })),
    stageStartedAt: time.nullable(),
    weight: share,
    proven: share,
    steps: z.array(stepResource),
    requestedBy: actorResource,
    reason: z.string().nullable(),
    outcome: z.string().nullable().describe("why it ended as it did, or is being undone"),
    evidence: evidenceResource.nullable(),
    gates: z.array(gateResource).describe("of the stage and of the whole change; as they stood last"),
    findings: z.array(findingResource).describe("what the pre-flight found"),
    planDigest: z.string().describe("of all that an approval is given for"),
    approvals: z.array(approvalResource),
    awaited: z.array(awaitedResource).describe("the approvals without which it does not begin"),
    approvalExpiresAt: time.nullable().describe("when it ends if nobody approves; null: it does not wait"),
    firstCandidateAt: time.nullable(),
    createdAt: time,
    updatedAt: time,
    finishedAt: time.nullable(),
  })
  .meta({ id: "Change" });
export type ChangeResource = z.infer<typeof changeResource>;

export const newChange = z.strictObject({
  kind: z.enum(CHANGE_KINDS).default("release"),
  candidate: z.string().min(1).describe("the id of a release, or for scale the numbers: web=4,worker=0"),
  service: serviceName.optional().describe("for scale: whose numbers"),
  environment: serviceName.optional().describe("for scale; production when left out"),
  immediate: z.boolean().default(false).describe("all traffic at once after the health gate"),
  queue: z
    .boolean()
    .default(false)
    .describe("wait in order behind a change under way instead of being refused"),
  supersede: z
    .boolean()
    .default(false)
    .describe("take the place of every change that waits for the same target; implies queue"),
  reason: z.string().max(500).nullable().default(null),
});

/** A request that goes on in spite of what speaks against it; needs a permission of its own. */
export const forcedChange = newChange.extend({
  force: z
    .array(z.string().min(1))
    .max(50)
    .default([])
    .describe("codes of findings that are not to stop the change"),
  overrideFreeze: z
    .string()
    .min(1)
    .max(500)
    .nullable()
    .default(null)
    .describe("why this change goes on in spite of a freeze window"),
  overrideApproval: z
    .string()
    .min(1)
    .max(500)
    .nullable()
    .default(null)
    .describe("why this change goes on without the approvals it would need"),
});

export const previewResource = z
  .object({ change: changeResource, findings: z.array(findingResource) })
  .meta({ id: "Preview" });
export type PreviewResource = z.infer<typeof previewResource>;

export const commandBody = z
  .strictObject({ reason: z.string().max(500).nullable().default(null) })
  .prefault({});

export const approvalBody = z.strictObject({
  reason: z.string().min(1).max(500).nullable().default(null),
  planDigest: z
    .string()
    .optional()
    .describe("of the plan that was looked at; refused when it is another by now"),
});

export const rejectionBody = z.strictObject({ reason: z.string().min(1).max(500) });

export const timelineEntry = z
  .object({
    seq: z.int(),
    at: time,
    from: z.string(),
    to: z.string(),
    stage: z.int(),
    by: z.string(),
    reason: z.string(),
    evidence: evidenceResource.nullable(),
    gates: z.array(gateResource).describe("as they stood then"),
  })
  .meta({ id: "TimelineEntry" });
export type TimelineEntry = z.infer<typeof timelineEntry>;

export const replayResource = z
  .object({
    stored: evidenceResource.nullable(),
    replayed: evidenceResource.nullable(),
    isEqual: z.boolean(),
    samples: z.int(),
  })
  .meta({ id: "Replay" });
