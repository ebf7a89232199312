import type { InstanceSpec } from "@mainstay/api";
import { READY_AFTER_PASSES } from "./health.ts";
import type { PortProof } from "./port-proof.ts";
import { probe } from "./probe.ts";

/** Until the first pass an instance is asked this often: starting is what people wait for. */
const STARTING_INTERVAL_MS = 250;
/** A process without a probe is trusted after it has lived this long, and then counted once a second. */
const TRUSTED_AFTER_MS = 5000;
const TRUSTED_INTERVAL_MS = 1000;
/** As many failures as make an instance unready. */
const MAX_UNANSWERED = 3;

export interface HealthWatch {
  stop(): void;
}

interface HealthWatchOptions {
  spec: () => InstanceSpec;
  port: number | null;
  ageMs: () => number;
  proof: PortProof;
  /** One probe's outcome: null passed. */
  onProbe: (error: string | null, readyAfterPasses: number) => void;
}

/** Probes an instance again and again, whether or not it has answered the last time. */
export function watchHealth({ spec, port, ageMs, proof, onProbe }: HealthWatchOptions): HealthWatch {
  let timer: NodeJS.Timeout | null = null;
  let isStopped = false;
  let hasPassed = false;
  let unanswered = 0;

  async function askOnce(): Promise<void> {
    const { health } = spec();
    if (!health || port === null) {
      onProbe(null, 1);
      return again(TRUSTED_INTERVAL_MS);
    }
    // Before the answer is here: a process that hangs is found out by three questions at once, not in turn.
    again(hasPassed ? health.intervalMs : Math.min(health.intervalMs, STARTING_INTERVAL_MS));
    if (unanswered >= MAX_UNANSWERED) return;
    unanswered += 1;
    const error = (await probe({ port, path: health.path, timeoutMs: health.timeoutMs })) ?? proof();
    unanswered -= 1;
    if (isStopped) return;
    hasPassed ||= error === null;
    onProbe(error, READY_AFTER_PASSES);
  }

  function again(waitMs: number): void {
    if (!isStopped) timer = setTimeout(() => void askOnce(), waitMs);
  }

  again(spec().health ? STARTING_INTERVAL_MS : Math.max(0, TRUSTED_AFTER_MS - ageMs()));

  return {
    stop() {
      isStopped = true;
      if (timer) clearTimeout(timer);
    },
  };
}
