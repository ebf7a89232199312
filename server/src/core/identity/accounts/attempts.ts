import { createHash } from "node:crypto";
import { AppError } from "@mainstay/api";
import type { Clock } from "../../../kernel/clock.ts";
import type { Database } from "../../../kernel/database/index.ts";
import { DELAY_RULES, waitMs, withAttempt } from "../domain/attempt-delay.ts";
import { createAttemptsStore } from "./attempts-store.ts";

export type AttemptScope = "password" | "factor";

export interface Attempt {
  /** The address that was given, or the id of a user who is known already. */
  account: string;
  scope: AttemptScope;
  /** A device that this account has been used on: its failures are its own. */
  device: string | null;
}

export type AttemptLimits = ReturnType<typeof createAttemptLimits>;

/** The growing delay between attempts on one account. */
export function createAttemptLimits({ db, clock }: { db: Database; clock: Clock }) {
  const store = createAttemptsStore(db);
  const keyOf = ({ account, scope, device }: Attempt) => ({
    subject: subjectOf(account),
    scope: device === null ? scope : `${scope}:${device}`,
  });

  return {
    /**
     * Takes one attempt before anything is checked, so that many at once cannot pass together. Throws
     * LOGIN_DELAYED while the last failures are too fresh. It counts as failed until `succeeded`.
     */
    async begin(attempt: Attempt): Promise<void> {
      const now = clock.now();
      const restMs = await db.transaction().execute(async (tx) => {
        const before = await store.lock(tx, keyOf(attempt), now);
        const rest = waitMs(before, now.getTime());
        if (rest === 0) await store.set(tx, keyOf(attempt), withAttempt(before, now.getTime()));
        return rest;
      });
      if (restMs > 0) throw new AppError("LOGIN_DELAYED", { retryAfterSeconds: Math.ceil(restMs / 1000) });
    },
    succeeded: async (attempt: Attempt): Promise<void> => void (await store.clear(keyOf(attempt))),
    /** Failures on an account within the last day. */
    failures: (account: string) =>
      store.failuresSince(subjectOf(account), new Date(clock.now().getTime() - DELAY_RULES.forgetMs)),
    purge: () => store.purge(new Date(clock.now().getTime() - DELAY_RULES.forgetMs)),
  };
}

/** Addresses that nobody has here are kept like those of users, and none of them readably. */
function subjectOf(account: string): Buffer {
  return createHash("sha256").update(account.trim().toLowerCase()).digest();
}
