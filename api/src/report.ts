import { z } from "zod";
import { changeResource, evidenceResource } from "./change-resources.ts";
import { auditResource } from "./audit-resources.ts";

/** What is left of a change for people: everything that happened, with durations and numbers. */

const passage = z.object({
  state: z.string(),
  stage: z.int().describe("-1 before the first"),
  weight: z.number().nullable().describe("a stage's share of the traffic, 0 to 1; else null"),
  enteredAt: z.iso.datetime(),
  durationMs: z.number().nullable().describe("null for the state it is in"),
  leftBy: z.string().nullable().describe("who moved it on"),
  reason: z.string().nullable().describe("why it moved on"),
  evidence: evidenceResource.nullable().describe("what the judge knew when it moved on"),
});

export const reportResource = z
  .object({
    change: changeResource,
    durationMs: z.number().nullable().describe("from the request to the end; null while it is under way"),
    passages: z.array(passage).describe("every state in the order it was entered"),
    audit: z.array(auditResource).describe("oldest first"),
    links: z.record(z.string(), z.string()).describe("paths of the API"),
  })
  .meta({ id: "Report" });
export type ReportResource = z.infer<typeof reportResource>;
