import { z } from "zod";
import { duration } from "./unit-schemas.ts";

/** What of a service is asked for to be sure that it does its work; a part of `mainstay.yaml`. */

const path = z.string().startsWith("/", 'expected a path that starts with "/"');
const status = z.int("expected an HTTP status").min(100).max(599);

const expectation = z.strictObject({
  status: status.default(200).describe("The status of the answer; a redirect is not followed."),
  bodyContains: z.string().min(1).max(1000).optional().describe("Text that the answer's body holds."),
  maxMs: duration()
    .refine((ms) => ms > 0, "expected more than 0")
    .prefault("5s")
    .describe("How long the whole answer may take."),
});

const endpoint = z.strictObject({
  path: path.describe("Asked with GET from every instance of the candidate, past the proxy."),
  expect: expectation.prefault({}).describe("What counts as well."),
});

/** Endpoints that must answer before a candidate is trusted with everybody. */
export const verifyList = z.array(endpoint).max(50);
export type VerifiedEndpoint = z.output<typeof endpoint>;
