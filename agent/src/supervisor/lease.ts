export interface Lease {
  renew(ttlMs: number): void;
  stop(): void;
}

interface LeaseOptions {
  nowMs: () => number;
  /** Calls back after the time; returns what calls that off. */
  schedule: (act: () => void, afterMs: number) => () => void;
  onExpired: () => void;
}

/** Expires when it was not renewed for its time, on a monotonic clock. */
export function createLease({ nowMs, schedule, onExpired }: LeaseOptions): Lease {
  let expiresAtMs = Infinity;
  let callOff = () => {};

  function arm(afterMs: number): void {
    callOff();
    // A late timer may fire before a renewal that has arrived is read: one more turn decides.
    callOff = schedule(() => setImmediate(check), afterMs);
  }

  function check(): void {
    const leftMs = expiresAtMs - nowMs();
    if (leftMs === Infinity) return;
    if (leftMs > 0) return arm(leftMs);
    expiresAtMs = Infinity;
    onExpired();
  }

  return {
    renew(ttlMs) {
      expiresAtMs = nowMs() + ttlMs;
      arm(ttlMs);
    },
    stop() {
      callOff();
      expiresAtMs = Infinity;
    },
  };
}
