import type { ErrorKind } from "./error-kind.ts";

/** What can be wrong with approvals of changes; part of the catalogue in errors.ts. */
export const APPROVAL_ERRORS = {
  CHANGE_UNAPPROVED: {
    status: 409,
    message: "{target} waits for approval by {people}",
    remedy:
      "Ask them for 'mainstay change approve'. In an emergency go on with --override-approval and the reason why.",
  },
  APPROVAL_REFUSED: {
    status: 403,
    message: "your approval of {change} does not count: {reason}",
    remedy: "'mainstay change show {change}' says whose approval it waits for.",
  },
  CHANGE_ALTERED: {
    status: 409,
    message: "the plan of {change} is another than the one you looked at",
    remedy: "Look at it again ('mainstay change show {change}'), and approve what it has become.",
  },
} as const satisfies Record<string, ErrorKind>;
