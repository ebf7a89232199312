import type { QueryBudget } from "../../storage.ts";

/** What is read is charged in lots, often enough to stop a query within one long series. */
const SAMPLES_PER_CHARGE = 10_000;

/** Gathers what is read step by step; the rest is charged by `finish`. */
export function createCharge(budget: QueryBudget): { add(samples: number): void; finish(): void } {
  let read = 0;
  const finish = () => {
    budget.addSamples(read);
    read = 0;
  };
  return {
    add(samples) {
      read += samples;
      if (read >= SAMPLES_PER_CHARGE) finish();
    },
    finish,
  };
}
