import type { MetricsStore as Store } from "@mainstay/metrics/tsdb";
import type { Clock } from "../../../kernel/clock.ts";
import { reasonOf } from "../../../kernel/reason-of.ts";

const SYNC_MS = 200;
const MAINTAIN_MS = 60_000;

/** Does one piece of upkeep. What does not work is told once, and tried again when its turn comes. */
export type Attempt = (name: string, work: () => void | Promise<void>) => Promise<void>;

/** Tells what fails, all of it in one line, and null when everything works again. */
export function createAttempts(tell: (trouble: string | null) => void): Attempt {
  const troubles = new Map<string, string>();
  const line = () => (troubles.size === 0 ? null : [...troubles.values()].join("; "));
  return async (name, work) => {
    const before = line();
    try {
      await work();
      troubles.delete(name);
    } catch (error) {
      troubles.set(name, `${name}: ${reasonOf(error)}`);
    }
    if (line() !== before) tell(line());
  };
}

/** What a store needs now and then. */
export function startUpkeep(store: Store, { clock, attempt }: { clock: Clock; attempt: Attempt }) {
  const stops = [
    clock.every(SYNC_MS, () => attempt("sync", () => store.sync())),
    clock.every(MAINTAIN_MS, () => attempt("maintenance", () => store.maintain())),
    clock.every(MAINTAIN_MS, () => attempt("space", () => demandSpace(store))),
  ];
  return {
    async end(): Promise<void> {
      stops.forEach((stop) => stop());
      await attempt("sync", () => store.sync());
      await store.close();
    },
  };
}

function demandSpace(store: Store): void {
  if (!store.status().hasEnoughSpace) throw new Error("the disk is full: no samples are taken in");
}
