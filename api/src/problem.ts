import { z } from "zod";
import { ERRORS, type ErrorCode } from "./errors.ts";

/** What every refused request is answered with: RFC 9457, as application/problem+json. */
export const problem = z
  .object({
    type: z.string().describe("A stable name of the kind of problem: urn:mainstay:error:<code>."),
    title: z.string().describe("The kind of problem in a few words."),
    status: z.int().describe("The HTTP status."),
    detail: z.string().describe("What happened this time."),
    code: z.string().describe("The code of docs/reference/errors.md."),
    remedy: z.string().describe("What to do about it."),
    requestId: z.string().describe("Names this request in the server's log."),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe("The fields that were wrong."),
  })
  .meta({ id: "Problem" });
export type Problem = z.infer<typeof problem>;

export const PROBLEM_CONTENT_TYPE = "application/problem+json";

/** The `type` of a problem document. */
export function problemType(code: ErrorCode): string {
  return `urn:mainstay:error:${code}`;
}

/** "REQUEST_TOO_LARGE" → "Request too large". */
export function problemTitle(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether the text is a code of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
