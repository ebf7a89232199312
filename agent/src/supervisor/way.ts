import type { ObservedInstance, ResourceLimits } from "@mainstay/api";
import type { PortProof } from "./port-proof.ts";

/** What an instance is run by. */
export type WayName = "process" | "unit" | "container";

/** Everything that is needed to run an instance once. */
export interface Order {
  id: string;
  service: string;
  /** Run by /bin/sh; null: what the image starts by itself. */
  command: string | null;
  container: { image: string; port: number } | null;
  directory: string;
  logDirectory: string;
  environment: Record<string, string>;
  /** Of 127.0.0.1. */
  port: number | null;
  resources: ResourceLimits | null;
  /** It runs to its end, and its exit code must be known even if no agent sees it end. */
  once: boolean;
  /** A file that it finds on standard input; null: there is nothing. */
  input: string | null;
}

export interface Exit {
  code: number | null;
  signal: string | null;
  /** Told by the kernel; absent when nothing but code and signal is known. */
  cause?: NonNullable<ObservedInstance["lastExit"]>["cause"];
}

/** One run of an instance, from its start to its end. */
export interface Life {
  /** Its first process, as this machine numbers it. */
  pid: number;
  startTicks: number;
  /** What else names it for another agent: the id of a container. */
  handle: string | null;
  /** Code and signal are unknown (null) when nobody could see it end. */
  exited: Promise<Exit>;
  /** Whether what listens on its port is really this instance's. */
  proof: PortProof;
  /** SIGTERM, and SIGKILL to what is left after the time; resolves when nothing of it is. */
  end(timeoutMs: number): Promise<void>;
  /** SIGKILL at once; also takes away what is left of a life that has ended. */
  kill(): Promise<void>;
}

/** What must be known of a life to take it up again after this agent was killed. */
export interface LifeFacts {
  id: string;
  pid: number;
  startTicks: number;
  /** A process unless told otherwise. */
  by?: WayName;
  handle?: string | null;
}

/** A way of running instances: as processes of this machine, as units of systemd, in containers. */
export interface Way {
  name: WayName;
  /** Rejects with what keeps it from starting. */
  launch(order: Order): Promise<Life>;
  /** Takes up what an earlier agent started; null when it does not run any more. */
  adopt(order: Order, facts: LifeFacts): Life | null;
  /** What became of an order that runs once and was begun by an earlier agent; it may run still. */
  findOnce(order: Order): Promise<Life | Exit>;
  /** Ends what nobody wants any more; spares what was started under the same name since, if told so. */
  endLeft(facts: LifeFacts, timeoutMs: number, sparesSuccessor: boolean): Promise<void>;
}

export function isLife(found: Life | Exit): found is Life {
  return "exited" in found;
}
