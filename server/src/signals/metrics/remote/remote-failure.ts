import type { ApiErrorType } from "../api-error.ts";

/** Why there is no answer of the remote to pass on, as it is counted. */
export type FailureReason =
  | "busy"
  | "unreachable"
  | "timeout"
  | "refused"
  | "nonsense"
  | "too-large"
  | "cut-off";

/** What kept an answer of the remote from being passed on, in words that say what to do. */
export class RemoteFailure extends Error {
  override name = "RemoteFailure";
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** How the API calls it: who may ask again later is told so, who has to mend something too. */
export const TYPES_BY_REASON: Readonly<Record<FailureReason, ApiErrorType>> = {
  busy: "unavailable",
  unreachable: "unavailable",
  timeout: "timeout",
  refused: "bad_response",
  nonsense: "bad_response",
  "too-large": "bad_response",
  "cut-off": "bad_response",
};
