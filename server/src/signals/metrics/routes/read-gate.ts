/** Lets so many in at a time; others wait in the order in which they came. */
export interface ReadGate {
  /** Resolves with the way out. Rejects with the reason of the signal when that aborts before. */
  enter(signal: AbortSignal): Promise<() => void>;
}

/** A gate through which nobody has gone yet. */
export function createReadGate(places: number): ReadGate {
  const waiting = new Set<() => void>();
  let free = places;

  function leaveOnce(): () => void {
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      const [next] = waiting;
      if (next === undefined) free += 1;
      else next();
    };
  }

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        return leaveOnce();
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      waiting.add(resolve);
      try {
        await promise;
      } finally {
        waiting.delete(resolve);
        signal.removeEventListener("abort", onAbort);
      }
      return leaveOnce();
    },
  };
}
