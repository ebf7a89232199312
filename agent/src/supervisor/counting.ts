import type { Counters, ServiceRouting } from "@mainstay/api";
import { setTimeout as sleep } from "node:timers/promises";
import { createCounterSums } from "./counter-sums.ts";
import type { Workers } from "./workers.ts";

const INTERVAL_MS = 1000;
/** While a worker is not there its return is what everybody waits for. */
const SEARCH_INTERVAL_MS = 100;

export interface Counting {
  /** Fresh sums over all workers, both arms of a service read at the same moment. */
  read(): Promise<Omit<Counters, "bootId" | "at">>;
  /** Learns anew what every worker has in flight. */
  refresh(): Promise<void>;
  stop(): void;
}

/** Counts again and again, so that a worker that dies takes little with it that was not counted. */
export function startCounting(workers: Workers, services: () => ServiceRouting[]): Counting {
  const sums = createCounterSums();
  let running: Promise<void> | null = null;
  let isStopped = false;

  async function countNow(): Promise<void> {
    sums.update(await workers.counters());
    sums.keep(services(), performance.now());
  }

  /** One count at a time: answers that overtook each other would let the sums fall. */
  function count(): Promise<void> {
    running ??= countNow().finally(() => (running = null));
    return running;
  }

  async function repeat(): Promise<void> {
    while (!isStopped) {
      await count();
      await sleep(workers.areUp() ? INTERVAL_MS : SEARCH_INTERVAL_MS, undefined, { ref: false });
    }
  }
  void repeat();

  return {
    async read() {
      await count();
      return sums.total(services());
    },
    refresh: count,
    stop: () => void (isStopped = true),
  };
}
