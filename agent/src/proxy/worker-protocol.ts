import type { Arm } from "@mainstay/api";

/**
 * What the agent and a proxy worker say to each other:
 * HTTP/1.1 with JSON over `proxy-<slot>.sock`, mode 0600.
 *
 *   PUT /v1/routing  WorkerRouting → WorkerStatus   (in force for every request after the answer)
 *   GET /v1/status   → WorkerStatus
 *   GET /v1/counters → WorkerCounters
 */

export interface WorkerArm {
  release: string;
  /** Ready instances only; the order is the round robin's. */
  instances: { id: string; port: number }[];
}

export interface WorkerService {
  service: string;
  environment: string;
  routes: { host: string | null; path: string }[];
  change: string | null;
  assignmentHeader: string | null;
  /** The candidate's share in force, in ten-thousandths. */
  weight: number;
  stable: WorkerArm | null;
  candidate: WorkerArm | null;
  requestTimeoutMs: number;
}

export interface WorkerRouting {
  /** Rises with every table the agent makes; a worker answers which one is in force. */
  revision: number;
  /** The generation of the desired state the table was made from. */
  generation: number;
  /** Base64; signs the cookies that carry users' ids. */
  cookieKey: string;
  services: WorkerService[];
  /**
   * Instances that were unrouted to be stopped: a connection
   * they cut is the platform's doing, not the release's.
   */
  draining: string[];
}

export interface WorkerStatus {
  bootId: string;
  pid: number;
  /** How often the parent has restarted this slot. */
  restarts: number;
  revision: number | null;
  generation: number | null;
  inflight: number;
  /** Requests in flight per instance; instances without any are left out. */
  instances: Record<string, number>;
}

export interface ArmTally {
  service: string;
  environment: string;
  arm: Arm;
  release: string;
  /** Indexed by group. */
  total: number[];
  errors: number[];
  /** [group][bucket of LATENCY_BOUNDS_MS]. */
  latency: number[][];
  /** Of everything counted in `latency`. */
  latencySumMs: number;
  requests: { method: string; code: AnswerClass; count: number }[];
}

export const ANSWER_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"] as const;
export type AnswerClass = (typeof ANSWER_CLASSES)[number];

export interface WorkerCounters extends WorkerStatus {
  arms: ArmTally[];
  lost: Record<string, number>;
  aborted: number;
  unrouted: number;
}

/** Options of a worker process: one JSON argument. The listening socket is descriptor 3. */
export interface WorkerOptions {
  slot: number;
  restarts: number;
  runtimeDirectory: string;
  routingFile: string;
  /** A service manager holds the listening socket, so it outlives the parent. */
  isSocketShared?: boolean;
  drainTimeoutMs: number;
}
