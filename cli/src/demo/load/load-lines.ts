/** What the load generator writes to its standard output: one JSON document a line. */
export type LoadLine = LoadReady | LoadTick | LoadSummary;

/** The preparation is done; the load begins now. */
export interface LoadReady {
  type: "ready";
  at: string;
  prepared: number;
}

/** How requests ended; every finished one is in exactly one of the four. */
export interface OutcomeCounts {
  ok: number;
  /** 5xx of the application. */
  applicationErrors: number;
  /** 4xx: the application does not know what was asked for. */
  refused: number;
  /** Failed by the platform: marked so, refused, reset, not answered, cut off or timed out. */
  lost: number;
}

export interface ReleaseCounts {
  answers: number;
  applicationErrors: number;
}

interface Counts extends OutcomeCounts {
  /** Sent within the time the line is about. */
  sent: number;
  lostReasons: Record<string, number>;
  /** From the moment a request was due to the end of its answer; lost ones are not in it. */
  p50Ms: number | null;
  p95Ms: number | null;
  /** By the answer's `x-mainstay-release`, where the application sets it. */
  byRelease: Record<string, ReleaseCounts>;
}

/** One second; the ticks of a run add up to its summary. */
export interface LoadTick extends Counts {
  type: "tick";
  at: string;
  /** Since the first request was due. */
  atMs: number;
  inflight: number;
}

export interface LostSample {
  at: string;
  method: string;
  path: string;
  connection: "keep-alive" | "close";
  reason: string;
}

export interface LoadSummary extends Counts {
  type: "summary";
  startedAt: string;
  durationMs: number;
  p99Ms: number | null;
  sentAs: { get: number; put: number; keepAlive: number; close: number; cookieless: number };
  usersWithCookie: number;
  /** How late the generator itself sent: when it is large, the latencies say little of the platform. */
  sendDelayP99Ms: number | null;
  cpuSeconds: number;
  /** The first of the lost requests. */
  lostSamples: LostSample[];
}
