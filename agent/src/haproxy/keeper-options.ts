import type { WorkerOptions } from "../proxy/worker-protocol.ts";

/** Options of the process that keeps HAProxy: those of a worker, and what stands behind it. */
export interface KeeperOptions extends Omit<WorkerOptions, "httpsFile"> {
  threads: number;
  /** The sockets of the Node workers that serve what HAProxy leaves to them. */
  nodes: string[];
}
