import { z } from "zod";
import { PROBLEM_KINDS } from "./messages-file.ts";
import { CHANGE_STATES } from "./words.ts";

/**
 * Every event that leaves the outbox, by type: the data
 * that goes with it. Consumers may rely on these fields.
 */

const where = { service: z.string(), environment: z.string() };

const changeMoved = z.object({
  ...where,
  kind: z.string(),
  target: z.string(),
  candidate: z.string(),
  stable: z.string().nullable(),
  from: z.string(),
  state: z.enum(CHANGE_STATES),
  stage: z.int(),
  by: z.string(),
  reason: z.string(),
  outcome: z.string().nullable(),
});

const instanceMoved = z.object({
  ...where,
  process: z.string(),
  release: z.string(),
  pid: z.int().nullable(),
});

const problem = z.object({
  kind: z.enum(PROBLEM_KINDS),
  service: z.string().nullable(),
  environment: z.string().nullable(),
  summary: z.string(),
  since: z.string(),
});

export const EVENTS = {
  "services.release_registered": z.object({
    ...where,
    release: z.string(),
    digest: z.string(),
    version: z.string().nullable(),
  }),
  "changes.requested": changeMoved,
  "changes.approval_awaited": changeMoved,
  "changes.approved": changeMoved,
  "changes.stage_advanced": changeMoved,
  "changes.paused": changeMoved,
  "changes.resumed": changeMoved,
  "changes.succeeded": changeMoved,
  "changes.undone": changeMoved,
  "changes.blocked": changeMoved,
  "instances.started": instanceMoved,
  "instances.failed": instanceMoved.extend({
    crashes: z.int(),
    code: z.int().nullable(),
    signal: z.string().nullable(),
  }),
  "certificates.issued": z.object({
    host: z.string(),
    issuer: z.string(),
    notAfter: z.string(),
    isRenewal: z.boolean(),
  }),
  "certificates.failed": z.object({
    host: z.string(),
    reason: z.string(),
    attempts: z.int(),
    nextAttemptAt: z.string(),
    notAfter: z.string().nullable(),
  }),
  "agent.connected": z.object({ bootId: z.string() }),
  "agent.lost": z.object({ reason: z.string() }),
  "secrets.rotated": z.object({
    kind: z.string(),
    key: z.string().nullable(),
    generation: z.int().nullable(),
    left: z.int(),
  }),
  "problems.opened": problem,
  "problems.ended": problem.extend({ lastedMs: z.int() }),
} as const satisfies Record<string, z.ZodType>;

export type EventType = keyof typeof EVENTS;
export type EventData<Type extends EventType> = z.input<(typeof EVENTS)[Type]>;
