import type { Arm, Challenge, HttpsSettings, ServiceRouting } from "@mainstay/api";

/**
 * What the agent and a proxy worker say to each other:
 * HTTP/1.1 with JSON over `proxy-<slot>.sock`, mode 0600.
 *
 *   PUT /v1/routing  WorkerRouting → WorkerStatus   (in force for every request after the answer)
 *   PUT /v1/https    WorkerHttps → WorkerStatus     (likewise; open connections keep their certificate)
 *   GET /v1/status   → WorkerStatus
 *   GET /v1/counters → WorkerCounters
 */

export interface WorkerArm {
  release: string;
  /** Ready instances only. An instance weighs 1 unless told otherwise. */
  instances: { id: string; port: number; weight?: number }[];
}

/** How the connections of a service are treated. */
export interface WorkerConnections {
  balance: "round-robin" | "least-connections";
  /** How long WebSockets and event streams may go on once their instance is being stopped. */
  drainTimeoutMs: number;
  /** How long a request waits for an instance while none can be reached; 0 answers at once. */
  holdTimeoutMs: number;
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
  connections: WorkerConnections;
  /** Not null: every request is told to come back later. */
  maintenance: { retryAfterMs: number } | null;
  answers?: ServiceRouting["answers"];
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

/** Holds private keys: it goes over the worker's socket and into a file of mode 0600, never into a log. */
export interface WorkerHttps extends HttpsSettings {
  revision: number;
  challenges: Challenge[];
  /** For names that no certificate stands for: one that nobody vouches for. */
  fallback: { cert: string; key: string };
  /** Base64, 48 bytes: seals session tickets, so that any worker resumes what another began (RFC 5077). */
  ticketKey: string;
}

export interface WorkerStatus {
  bootId: string;
  pid: number;
  /** How often the parent has restarted this slot. */
  restarts: number;
  revision: number | null;
  generation: number | null;
  /** Of the certificates in force; null without any. */
  httpsRevision: number | null;
  inflight: number;
  /** Requests in flight per instance; instances without any are left out. */
  instances: Record<string, number>;
  /** Those of them whose answer has begun and goes on: WebSockets, event streams, long bodies. */
  streams: Record<string, number>;
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
  /** Attempts that failed and were made again on another instance. */
  retried: number;
  /** How often an instance was taken out of the rotation because of its failures. */
  ejected: number;
}

export const ANSWER_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx", "none"] as const;
export type AnswerClass = (typeof ANSWER_CLASSES)[number];

export interface WorkerCounters extends WorkerStatus {
  arms: ArmTally[];
  lost: Record<string, number>;
  aborted: number;
  unrouted: number;
  /** Requests and connections that the proxy refused, by reason. */
  refused: Record<string, number>;
  /** Streams that were told to go because their instance or this worker stops, by kind. */
  sentAway: Record<string, number>;
  /** Requests that waited for an instance. */
  held: number;
}

/** What a worker takes from clients; `mainstay.platform.yaml` has the defaults. */
export interface ProxyLimits {
  bodyBytes: number;
  headerBytes: number;
  headerCount: number;
  /** For the whole head of a request. */
  headerTimeoutMs: number;
  /** For the next byte of a body. */
  bodyTimeoutMs: number;
  connections: number;
  /** Requests that wait for an instance at the same time. */
  held: number;
}

/** Options of a worker process: one JSON argument. The listening socket is descriptor 3, that of TLS 4. */
export interface WorkerOptions {
  slot: number;
  restarts: number;
  runtimeDirectory: string;
  routingFile: string;
  /** null: there is no TLS. */
  httpsFile: string | null;
  /** The UNIX socket on which another proxy hands on what it does not serve; instead of descriptor 3. */
  behind?: string;
  /** A service manager holds the listening socket, so it outlives the parent. */
  isSocketShared?: boolean;
  drainTimeoutMs: number;
  limits: ProxyLimits;
  /** Networks in CIDR notation whose X-Forwarded-* and Forwarded headers are believed. */
  trustedProxies: string[];
}
