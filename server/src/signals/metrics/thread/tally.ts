import type { Refused } from "../metrics-store.ts";

/** Something that was not taken, with words that are made only if they are told. */
export interface Example extends Omit<Refused, "message"> {
  message: () => string;
}

/** Counts what is not taken, by kind and reason; of each the first example is told. */
export interface Tally {
  add(example: Example): void;
  all(): Refused[];
}

export function createTally(): Tally {
  const counts = new Map<string, Refused>();
  return {
    add: (example) => {
      const key = `${example.what} ${example.reason}`;
      const known = counts.get(key);
      if (known === undefined) counts.set(key, { ...example, message: example.message() });
      else known.count += example.count;
    },
    all: () => [...counts.values()],
  };
}
