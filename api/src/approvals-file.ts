import { z } from "zod";
import { durationWithin } from "./unit-schemas.ts";
import { serviceName } from "./service-name.ts";
import { CHANGE_KINDS } from "./words.ts";

/** Which changes wait until somebody else has approved of them; in `mainstay.platform.yaml`. */

const HOUR = 3_600_000;
const PEOPLE_MAX = 10;
const PEOPLE = `expected a whole number from 1 to ${PEOPLE_MAX}`;

const approvalRule = z.strictObject({
  environment: serviceName
    .nullable()
    .default("production")
    .describe("Where the changes are; null: in every environment."),
  kinds: z
    .array(z.enum(CHANGE_KINDS))
    .min(1, "expected at least one kind of change")
    .default([...CHANGE_KINDS])
    .describe("Which changes it is about."),
  role: serviceName.default("admin").describe("The role of those who may approve."),
  count: z
    .int(PEOPLE)
    .min(1, PEOPLE)
    .max(PEOPLE_MAX, PEOPLE)
    .default(1)
    .describe("How many different people have to."),
  allowRequester: z
    .boolean()
    .default(false)
    .describe("Whether the approval of whoever asked for the change counts."),
  expiry: durationWithin(60_000, 90 * 24 * HOUR)
    .prefault("24h")
    .describe("How long a change waits after the last news of it; then it is ended."),
});
export type ApprovalRule = z.output<typeof approvalRule>;

export const approvalRules = z.array(
  approvalRule,
  "expected a list such as [{ environment: production, role: admin }]",
);
