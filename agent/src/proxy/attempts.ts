import { AnswerError } from "./answer-reader.ts";
import { FAILURES, type Failure } from "./problem.ts";
import type { Upstream } from "./upstream.ts";

/** How many instances are asked when none of them takes the connection. */
const MAX_ATTEMPTS = 3;
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** What went wrong with an attempt. Without a controller the connection was never made. */
export function describeFailure(
  error: Error & { code?: string },
  { isConnected, upstream }: { isConnected: boolean; upstream: Upstream | null },
): Failure {
  if (!isConnected)
    return error.code === "UND_ERR_CONNECT_TIMEOUT" ? FAILURES.connectTimeout : FAILURES.refused;
  if (upstream?.state === "draining") return FAILURES.drainCut;
  if (error.code === "UND_ERR_HEADERS_TIMEOUT") return FAILURES.timeout;
  const isGarbled = error instanceof AnswerError || error.name === "HTTPParserError";
  return isGarbled ? FAILURES.protocol : FAILURES.reset;
}

/** Nothing of the request has reached an instance. */
export function isUnsent(failure: Failure): boolean {
  return (
    failure === FAILURES.noInstance || failure === FAILURES.refused || failure === FAILURES.connectTimeout
  );
}

interface AttemptFacts {
  attempts: number;
  method: string;
  hasBody: boolean;
  hasFirstByte: boolean;
  /** It was sent twice already. */
  isRepeated: boolean;
}

/**
 * RFC 9110, section 9.2.2: what was never sent may be sent elsewhere; what was sent is repeated once, if it
 * is idempotent, has no body that is used up, and not a byte of an answer has come.
 */
export function mayRepeat(failure: Failure, facts: AttemptFacts): boolean {
  if (isUnsent(failure)) return facts.attempts < MAX_ATTEMPTS;
  const isCut = failure === FAILURES.reset || failure === FAILURES.drainCut;
  if (!isCut || facts.isRepeated || facts.hasFirstByte) return false;
  return !facts.hasBody && IDEMPOTENT.has(facts.method);
}
