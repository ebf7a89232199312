import { z } from "zod";
import { ARMS, BALANCES, BUCKETS, GROUPS } from "./words.ts";

/**
 * What the server and the agent say to each other: HTTP/1.1 with JSON over a UNIX socket of mode 0600.
 *
 *   PUT /v1/desired   DesiredState → ObservedState   (idempotent; 409 and the state as it is when a
 *                     later generation is applied already)
 *   PUT /v1/https     HttpsSettings → {}  (in force at every worker that answers; holds private keys)
 *   PUT /v1/challenges { challenges: Challenge[] } → {}   (likewise)
 *   POST /v1/images { image } → { image }: pulled unless it is here, with its digest for a tag
 *   DELETE /v1/images { images } → { removed }: those that no container uses
 *   GET /v1/observed  → ObservedState
 *   GET /v1/counters  → Counters
 *   GET /v1/metrics   → AgentMetrics
 *   GET /v1/events    → newline-delimited AgentEvent, until the client hangs up
 *   GET /v1/journal?after=N → { entries: JournalEntry[] }, acts the agent took by itself
 *   GET /v1/instances/<id>/logs?tail=N&follow=0|1&since=ms → text
 */

export const healthProbe = z.strictObject({
  path: z.string(),
  intervalMs: z.int().positive(),
  timeoutMs: z.int().positive(),
});

/** What one instance may use; null: as much as there is. */
export const resourceLimits = z.strictObject({
  memoryBytes: z.int().positive().nullable(),
  /** In cores: 0.5 is half of one. */
  cpu: z.number().positive().nullable(),
});
export type ResourceLimits = z.infer<typeof resourceLimits>;

export const instanceSpec = z.strictObject({
  id: z.string(),
  service: z.string(),
  environment: z.string(),
  process: z.string(),
  release: z.string(),
  /** Absolute; the working directory of the command. */
  directory: z.string(),
  /** Run by /bin/sh; null: what the image starts by itself. */
  command: z.string().nullable(),
  /** Runs in a container of this image, named with its digest; absent: as a process of this machine. */
  container: z.strictObject({ image: z.string(), port: z.int().positive() }).optional(),
  env: z.record(z.string(), z.string()),
  /** null: the process serves nothing. "auto": the agent chooses; the process finds it in PORT. */
  port: z.union([z.literal("auto"), z.int()]).nullable(),
  /** null: ready once it has lived for 5 s. */
  health: healthProbe.nullable(),
  stopTimeoutMs: z.int().nonnegative(),
  /** Absolute; stdout.log and stderr.log are written here. */
  logDirectory: z.string(),
  /** Starts only when no other instance of the same service, environment and process lives any more. */
  singleton: z.boolean().optional(),
  /** Runs to its end and is never started again under this id; ended with its tree when the time is over. */
  once: z
    .strictObject({
      timeoutMs: z.int().positive(),
      /** Absolute path of a file that it finds on standard input. */
      input: z.string().optional(),
    })
    .optional(),
  resources: resourceLimits.optional(),
});
export type InstanceSpec = z.infer<typeof instanceSpec>;

export const routedArm = z.strictObject({ release: z.string(), instances: z.array(z.string()) });

export const connectionPolicy = z.strictObject({
  balance: z.enum(BALANCES),
  /** Of an arm's instances in their order; those beyond the list weigh 1. */
  weights: z.array(z.int().positive()),
  /** How long WebSockets, event streams and answers under way may go on once their instance is leaving. */
  drainTimeoutMs: z.int().nonnegative(),
  /** How long a request waits while no instance can be reached. */
  holdTimeoutMs: z.int().nonnegative(),
});
export type ConnectionPolicy = z.infer<typeof connectionPolicy>;

export const serviceRouting = z.strictObject({
  service: z.string(),
  environment: z.string(),
  routes: z.array(z.strictObject({ host: z.string().nullable(), path: z.string() })),
  /** The change that has a candidate in traffic; salts the assignment. Null when there is none. */
  change: z.string().nullable(),
  assignmentHeader: z.string().nullable(),
  /** The candidate's share in ten-thousandths: now, and where to fall back to when the lease expires. */
  weight: z.int().min(0).max(BUCKETS),
  proven: z.int().min(0).max(BUCKETS),
  stable: routedArm.nullable(),
  candidate: routedArm.nullable(),
  requestTimeoutMs: z.int().positive(),
  drainTimeoutMs: z.int().nonnegative(),
  connections: connectionPolicy,
  /** Not null: requests are told to come back later. */
  maintenance: z.strictObject({ retryAfterMs: z.int().positive() }).nullable(),
  /** What is done to its answers; compressed and no more when left out. */
  answers: z.strictObject({ compression: z.boolean(), securityHeaders: z.boolean() }).optional(),
});
export type ServiceRouting = z.infer<typeof serviceRouting>;

export const desiredState = z.strictObject({
  generation: z.int().nonnegative(),
  /** The server must be heard of within this time, or unproven weights fall back. */
  leaseTtlMs: z.int().positive(),
  instances: z.array(instanceSpec),
  services: z.array(serviceRouting),
  /** The host under which the server itself is reached, and the port it listens on. */
  api: z.strictObject({ host: z.string(), port: z.int().positive() }).optional(),
});
export type DesiredState = z.infer<typeof desiredState>;

export const httpsSettings = z.strictObject({
  /** PEM, the leaf first. */
  certificates: z.array(z.strictObject({ hosts: z.array(z.string()), cert: z.string(), key: z.string() })),
  /** Where clients reach TLS. */
  port: z.int().positive(),
  /** Plain requests to hosts with a certificate are sent to TLS; those to secureHosts always. */
  redirect: z.boolean(),
  secureHosts: z.array(z.string()),
  /** 0: no Strict-Transport-Security. */
  hstsSeconds: z.int().nonnegative(),
});
export type HttpsSettings = z.infer<typeof httpsSettings>;

/** What a certificate authority asks for at /.well-known/acme-challenge/<token> (RFC 8555, section 8.3). */
export const challenge = z.strictObject({ token: z.string(), answer: z.string() });
export type Challenge = z.infer<typeof challenge>;

export const INSTANCE_STATES = [
  "starting",
  "ready",
  "unready",
  "backing-off",
  "draining",
  "stopping",
  "exited",
] as const;

/**
 * What else is known of an exit: its time was over; it exceeded its memory; nobody was there to see it end.
 */
export const EXIT_CAUSES = ["timeout", "memory", "lost"] as const;

export const observedInstance = z.object({
  id: z.string(),
  service: z.string(),
  environment: z.string(),
  process: z.string(),
  release: z.string(),
  state: z.enum(INSTANCE_STATES),
  pid: z.int().nullable(),
  port: z.int().nullable(),
  startedAt: z.string().nullable(),
  /** Unasked-for exits since the instance was first desired. */
  crashes: z.int(),
  /**
   * Consecutive health answers of 200 (or 1 a second for a process without a probe, from the fifth second).
   */
  passes: z.int(),
  lastExit: z
    .object({
      code: z.int().nullable(),
      signal: z.string().nullable(),
      at: z.string(),
      cause: z.enum(EXIT_CAUSES).optional(),
      /** The memory it exceeded. */
      limitBytes: z.int().optional(),
    })
    .nullable(),
  lastProbeError: z.string().nullable(),
  inflight: z.int(),
  /**
   * Of those in flight, the ones whose answer has begun and goes on: WebSockets, event streams, long bodies.
   */
  streams: z.int().default(0),
  memoryBytes: z.int().nullable(),
  cpuSeconds: z.number().nullable(),
});
export type ObservedInstance = z.infer<typeof observedInstance>;

export const observedState = z.object({
  bootId: z.string(),
  generation: z.int(),
  at: z.string(),
  leaseExpired: z.boolean(),
  /** By what `resources` are enforced on this machine; "none" with the reason. */
  limits: z
    .object({ by: z.enum(["cgroup-v2", "cgroup-v1", "none"]), reason: z.string().nullable() })
    .optional(),
  instances: z.array(observedInstance),
  /** Images on their way to this machine; bytes as far as the engine tells them. */
  pulls: z.array(z.object({ image: z.string(), doneBytes: z.number(), totalBytes: z.number() })).default([]),
  /** The weights in force at the proxy workers: those desired, or the proven ones after the lease expired. */
  services: z.array(z.object({ service: z.string(), environment: z.string(), weight: z.int() })),
  proxies: z.array(
    z.object({ worker: z.int(), pid: z.int().nullable(), generation: z.int().nullable(), restarts: z.int() }),
  ),
});
export type ObservedState = z.infer<typeof observedState>;

/** Cumulative since `bootId`; every array is indexed by group (0–19). */
export const armCounters = z.object({
  arm: z.enum(ARMS),
  release: z.string(),
  total: z.array(z.number()).length(GROUPS),
  /** 5xx, reset, timeout, no answer; never an abort by the client. */
  errors: z.array(z.number()).length(GROUPS),
  /** [group][bucket]; bucket i counts latencies ≤ bounds[i], the last one everything above. */
  latency: z.array(z.array(z.number())).length(GROUPS),
  /** Of everything counted in `latency`. */
  latencySumMs: z.number(),
});
export type ArmCounters = z.infer<typeof armCounters>;

export const counters = z.object({
  bootId: z.string(),
  at: z.string(),
  /** Upper bounds in ms, rising; one more bucket than bounds. */
  latencyBoundsMs: z.array(z.number()),
  services: z.array(
    z.object({
      service: z.string(),
      environment: z.string(),
      change: z.string().nullable(),
      arms: z.array(armCounters),
    }),
  ),
  requests: z.array(
    z.object({
      service: z.string(),
      environment: z.string(),
      release: z.string(),
      arm: z.enum(ARMS),
      method: z.string(),
      code: z.enum(["1xx", "2xx", "3xx", "4xx", "5xx", "none"]),
      count: z.number(),
    }),
  ),
  /** Requests the platform itself failed, by reason. */
  lost: z.record(z.string(), z.number()),
  /** Attempts made again elsewhere, and instances taken out of the rotation, of each arm. */
  attempts: z
    .array(
      z.object({
        service: z.string(),
        environment: z.string(),
        release: z.string(),
        arm: z.enum(ARMS),
        retried: z.number(),
        ejected: z.number(),
      }),
    )
    .default([]),
  /** Requests and connections the proxy refused, by reason. */
  refused: z.record(z.string(), z.number()).default({}),
  /** Streams that were told to go because their instance or worker stops, by kind. */
  sentAway: z.record(z.string(), z.number()).default({}),
  /** Requests that waited for an instance. */
  held: z.number().default(0),
  aborted: z.number(),
  unrouted: z.number(),
  inflight: z.number(),
});
export type Counters = z.infer<typeof counters>;

/** Figures of the machine and of the instances, as the text format of Prometheus has them. */
export const agentMetrics = z.object({
  families: z.array(
    z.object({
      name: z.string(),
      help: z.string(),
      type: z.enum(["counter", "gauge"]),
      samples: z.array(z.object({ labels: z.record(z.string(), z.string()), value: z.number() })),
    }),
  ),
});
export type AgentMetrics = z.infer<typeof agentMetrics>;

export const agentEvent = z.object({
  at: z.string(),
  type: z.enum([
    "instance.started",
    "instance.ready",
    "instance.unready",
    "instance.exited",
    "lease.expired",
    "proxy.restarted",
  ]),
  subject: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export type AgentEvent = z.infer<typeof agentEvent>;

/**
 * An act of the agent without the server, fsynced before it takes effect, audited by the server on return.
 */
export const journalEntry = z.object({
  seq: z.int(),
  at: z.string(),
  act: z.enum(["lease-expired"]),
  service: z.string(),
  environment: z.string(),
  change: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});
export type JournalEntry = z.infer<typeof journalEntry>;
