import type { z } from "zod";
import type { Tx } from "../database/index.ts";

export interface JobOptions<Data extends object> {
  /** What the job is given; checked when it is enqueued and when it runs. */
  data: z.ZodType<Data>;
  /** How long one attempt may take; then its signal aborts and it counts as failed. Whole seconds. */
  deadlineMs: number;
  /** How often a failed job is tried again, with growing pauses. */
  retries?: number;
  /** How many of these one server runs at once. */
  concurrency?: number;
}

export interface RunningJob<Data extends object> {
  id: string;
  data: Data;
  /** From 1. */
  attempt: number;
  /** Aborts at the deadline, and when the server stops: a long job ends then, a short one may finish. */
  signal: AbortSignal;
}

export interface EnqueueOptions {
  /** The job exists if and only if this transaction is committed. */
  tx?: Tx;
  runAfter?: Date;
  /** While a job with the same key waits to begin, no second one is added. */
  singletonKey?: string;
}

/** Work that outlives a request and a server: kept in PostgreSQL, done at least once, on any server. */
export interface Jobs {
  name: "jobs";
  /** Says how jobs of this name are done, before `start`. The handler must be idempotent. */
  define<Data extends object>(
    name: string,
    options: JobOptions<Data>,
    handler: (job: RunningJob<Data>) => Promise<void>,
  ): void;
  /** Adds a job, after `start`. Answers its id, or null when one with the same singletonKey waits already. */
  enqueue(name: string, data: object, options?: EnqueueOptions): Promise<string | null>;
  /** Adds a job with empty data whenever the cron expression (five fields, UTC) says so; before `start`. */
  schedule(name: string, cron: string): void;
  start(): Promise<void>;
  /** Waits a while for running jobs; what is not done by then is tried again later. */
  stop(): Promise<void>;
}
