import type { Clock } from "../../kernel/clock.ts";
import type { ServicesStore, Target } from "./store.ts";

/** Who shares a service's users, and how. */
export function createTrials({ store, clock }: { store: ServicesStore; clock: Clock }) {
  return {
    /** Sets who is on trial and with what share (ten-thousandths). */
    weigh: (target: Target, trial: { change: string; candidate: string; weight: number; proven: number }) =>
      store.updateService(target, {
        change: trial.change,
        candidate_release: trial.candidate,
        weight: trial.weight,
        proven: trial.proven,
        updated_at: clock.now(),
      }),
    /** Ends a trial: `stable` serves everybody. */
    settle: (target: Target, stable: string | null) =>
      store.updateService(target, {
        stable_release: stable,
        candidate_release: null,
        change: null,
        weight: 0,
        proven: 0,
        updated_at: clock.now(),
      }),
  };
}
