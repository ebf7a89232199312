/** Whatever `clear` takes to call off what `schedule` has arranged. */
export interface Lease {
  renew(ttlMs: number): void;
  stop(): void;
}

interface LeaseOptions {
  nowMs: () => number;
  /** Calls back after the time; the handle is for `clear`. */
  schedule: (act: () => void, afterMs: number) => NodeJS.Timeout;
  onExpired: () => void;
}

/** Expires when it was not renewed for its time, on a monotonic clock. */
export function createLease({ nowMs, schedule, onExpired }: LeaseOptions): Lease {
  let expiresAtMs = Infinity;
  let timer: NodeJS.Timeout | null = null;

  function arm(afterMs: number): void {
    if (timer) clearTimeout(timer);
    // A late timer may fire before a renewal that has already
    // arrived is read: one turn of the event loop decides.
    timer = schedule(() => setImmediate(check), afterMs);
  }

  function check(): void {
    const leftMs = expiresAtMs - nowMs();
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
      if (timer) clearTimeout(timer);
      expiresAtMs = Infinity;
    },
  };
}
