import type { Arm } from "@mainstay/api";
import { GROUPS } from "./assignment.ts";
import { LATENCY_BOUNDS_MS, latencyBucket } from "./latency-bounds.ts";
import { ANSWER_CLASSES, type AnswerClass, type ArmTally } from "./worker-protocol.ts";

const BUCKETS_PER_GROUP = LATENCY_BOUNDS_MS.length + 1;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "OTHER"];
const METHOD_INDEX = new Map(METHODS.map((method, index) => [method, index]));
const CLASSES = ANSWER_CLASSES.length;
const CLASS_INDEX = new Map(ANSWER_CLASSES.map((code, index) => [code, index]));

export interface TallyKey {
  service: string;
  environment: string;
  arm: Arm;
  release: string;
}

export interface Tally {
  /** A request that got response headers after `latencyMs`. */
  answered(group: number, latencyMs: number, isError: boolean): void;
  /** A request that got no answer; `latencyMs` is given when it ended by time-out. */
  failed(group: number, latencyMs?: number): void;
  /** A request already counted as answered broke off in its body. */
  brokeOff(group: number): void;
  /** A failed attempt is made again: what counts for the release is how that one ends. */
  retried(): void;
  /** An instance was taken out of the rotation. */
  ejected(): void;
  /** What the client was answered. */
  request(method: string, code: AnswerClass): void;
  snapshot(): ArmTally;
}

/**
 * What the judge and the metrics learn about one arm; plain
 * typed arrays, so that counting costs next to nothing.
 */
export function createTally(key: TallyKey): Tally {
  const total = new Float64Array(GROUPS);
  const errors = new Float64Array(GROUPS);
  const latency = new Float64Array(GROUPS * BUCKETS_PER_GROUP);
  const requests = new Float64Array(METHODS.length * CLASSES);
  let latencySumMs = 0;
  let retried = 0;
  let ejected = 0;

  function countLatency(group: number, latencyMs: number): void {
    increment(latency, group * BUCKETS_PER_GROUP + latencyBucket(latencyMs));
    latencySumMs += latencyMs;
  }

  return {
    answered(group, latencyMs, isError) {
      increment(total, group);
      if (isError) increment(errors, group);
      countLatency(group, latencyMs);
    },
    failed(group, latencyMs) {
      increment(total, group);
      increment(errors, group);
      if (latencyMs !== undefined) countLatency(group, latencyMs);
    },
    brokeOff(group) {
      increment(errors, group);
    },
    retried: () => void (retried += 1),
    ejected: () => void (ejected += 1),
    request(method, code) {
      const row = METHOD_INDEX.get(method) ?? METHODS.length - 1;
      increment(requests, row * CLASSES + (CLASS_INDEX.get(code) ?? 0));
    },
    snapshot: () => ({
      ...key,
      total: [...total],
      errors: [...errors],
      latency: Array.from({ length: GROUPS }, (_, group) => [
        ...latency.subarray(group * BUCKETS_PER_GROUP, (group + 1) * BUCKETS_PER_GROUP),
      ]),
      latencySumMs,
      requests: listRequests(requests),
      retried,
      ejected,
    }),
  };
}

function increment(array: Float64Array, index: number): void {
  array[index] = (array[index] ?? 0) + 1;
}

function listRequests(requests: Float64Array): ArmTally["requests"] {
  return METHODS.flatMap((method, row) =>
    ANSWER_CLASSES.flatMap((code, column) => {
      const count = requests[row * CLASSES + column] ?? 0;
      return count > 0 ? [{ method, code, count }] : [];
    }),
  );
}
