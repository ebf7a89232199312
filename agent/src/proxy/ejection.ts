/** A refused connection leaves no doubt; an answer of 5xx does, until so many come in a row. */
const CONNECT_FAILURES = 1;
const ANSWER_FAILURES = 5;
const FIRST_MS = 1000;
const LIMIT_MS = 30_000;

/** What requests say about an instance, beside what its probes say. */
export interface Ejection {
  connectFailures: number;
  answerFailures: number;
  /** Ejections since its last good answer: each lasts twice as long as the one before. */
  times: number;
  untilMs: number;
}

export function createEjection(): Ejection {
  return { connectFailures: 0, answerFailures: 0, times: 0, untilMs: 0 };
}

/** A good answer: whatever was held against it is forgotten. */
export function forgive(ejection: Ejection): void {
  ejection.connectFailures = 0;
  ejection.answerFailures = 0;
  ejection.times = 0;
  ejection.untilMs = 0;
}

/**
 * True when the instance is taken out of the rotation by this failure. After its time one request tries it.
 */
export function holdAgainst(ejection: Ejection, kind: "connect" | "answer", nowMs: number): boolean {
  if (kind === "connect") ejection.connectFailures += 1;
  else ejection.answerFailures += 1;
  const isTooMany =
    ejection.connectFailures >= CONNECT_FAILURES || ejection.answerFailures >= ANSWER_FAILURES;
  const isOut = nowMs < ejection.untilMs;
  if (isOut || !(isTooMany || ejection.times > 0)) return false;
  ejection.untilMs = nowMs + Math.min(LIMIT_MS, FIRST_MS * 2 ** ejection.times);
  ejection.times += 1;
  return true;
}
