import type { SecretSource } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";

/** A message on its way out. */
export interface Outgoing {
  /** The same in every attempt. */
  id: string;
  /** The same for everything on one topic and subject. */
  thread: string;
  title: string;
  /** For people: paragraphs, separated by an empty line. */
  text: string;
  /** For programs: a CloudEvent as JSON. */
  payload: string;
}

export type Outcome =
  /** `note`: what ought to be known all the same. */
  | { kind: "delivered"; note: string | null }
  | { kind: "refused"; error: string; retryAfterMs: number | null }
  /** Nothing shall be sent there any more. */
  | { kind: "gone"; error: string };

/**
 * A way to reach somebody. It throws, or answers, what came of one attempt; repeating is not its business.
 */
export interface Sender {
  /** Where it leads, without what may be secret. */
  target: string;
  send(message: Outgoing, signal: AbortSignal): Promise<Outcome>;
}

export interface SenderTools {
  clock: Clock;
  /** Throws with words that hold nothing of the secret. */
  readSecret(source: SecretSource): Promise<string>;
}
