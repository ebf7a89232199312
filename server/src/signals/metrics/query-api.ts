import type { Readable } from "node:stream";
import type { ApiAnswer, ApiCall } from "./metrics-store.ts";

/** An answer that is passed on as it comes. */
export interface StreamedAnswer extends Omit<ApiAnswer, "body"> {
  body: Readable;
}

/** Who answers questions of the HTTP API: the store of this platform, or one elsewhere. */
export interface QueryApi {
  /** The signal aborts when nobody waits for the answer any more. */
  answer(call: ApiCall, signal: AbortSignal): Promise<ApiAnswer | StreamedAnswer>;
}
