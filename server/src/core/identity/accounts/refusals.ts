import { gcra } from "../domain/gcra.ts";
import type { UserRow } from "./people-store.ts";
import type { AccountsRoom, Visitor } from "./room.ts";

export type RefusalReason =
  | "password"
  | "second-factor"
  | "delayed"
  | "limited"
  | "unusual"
  | "challenge"
  | "link"
  | "passkey"
  | "provider"
  | "state"
  | "busy";

export interface Refusal {
  reason: RefusalReason;
  /** Null when nobody has the address that was given. */
  user: Pick<UserRow, "id"> | null;
  visitor: Pick<Visitor, "address" | "requestId" | "agent">;
  details?: Record<string, unknown>;
}

/** So many rows at once and then one each two seconds: a flood must not fill the log. */
const AUDITED = { burst: 60, emissionMs: 2_000 };
const NOBODY = { type: "anonymous", id: "anonymous", name: "anonymous" };

export type Refusals = ReturnType<typeof createRefusals>;

/** Every refusal is counted; each is audited too, but in a flood only some, which say how many were left out. */
export function createRefusals({ db, clock, audit, metrics }: AccountsRoom) {
  const outcomes = metrics.counter({
    name: "mainstay_identity_logins_total",
    help: "Logins that were let in, and those that were refused, by the reason.",
    labels: ["outcome"],
  });
  let tatMs: number | null = null;
  let leftOut = 0;

  return {
    letIn: (): void => outcomes.add({ outcome: "let-in" }),
    async refused({ reason, user, visitor, details = {} }: Refusal): Promise<void> {
      outcomes.add({ outcome: reason });
      const verdict = gcra(tatMs, clock.now().getTime(), AUDITED);
      tatMs = verdict.tatMs;
      if (!verdict.isAllowed) {
        leftOut += 1;
        return;
      }
      const unsaid = leftOut;
      leftOut = 0;
      await db.transaction().execute((tx) =>
        audit.record(tx, {
          actor: NOBODY,
          action: "identity.login_refused",
          resource: { type: "user", id: user?.id ?? "unknown" },
          after: { reason, agent: visitor.agent, ...details, ...(unsaid > 0 ? { leftOut: unsaid } : {}) },
          requestId: visitor.requestId,
          address: visitor.address,
        }),
      );
    },
  };
}
