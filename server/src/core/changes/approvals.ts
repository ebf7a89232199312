import { isDeepStrictEqual } from "node:util";
import { AppError, type ApprovalRule } from "@mainstay/api";
import { decide, type Decision } from "@mainstay/rollout";
import type { Clock } from "../../kernel/clock.ts";
import type { Origin } from "../../kernel/http/index.ts";
import { expiryOf, isSamePerson, missingOf, peopleOf, planDigestOf, rulesFor } from "./domain/approval.ts";
import type { Approval, Person } from "./domain/given-approval.ts";
import { findingOf } from "./domain/findings.ts";
import { nothingKnown } from "./domain/nothing-known.ts";
import { adoptPreparation } from "./domain/preparation.ts";
import type { ChangeKind, Finding } from "./ports.ts";
import type { ChangeRow, ChangesStore } from "./store.ts";
import { PLATFORM, type Transitions } from "./transitions.ts";

/** Where a role is held. */
interface Where {
  environment: string;
  service: string;
}

export interface ApprovalsDependencies {
  /** The platform's rules. */
  rules: readonly ApprovalRule[];
  /** Whether somebody holds a role where a change is; answered by identity. */
  holdsRole: (actor: Person, role: string, where: Where) => Promise<boolean>;
  clock: Clock;
  kinds: ChangeKind[];
  store: ChangesStore;
  transitions: Transitions;
}

/** Whose approval a change waits for, and what becomes of it meanwhile. */
export function createApprovals(dependencies: ApprovalsDependencies) {
  const { rules, holdsRole, clock, kinds, store, transitions } = dependencies;

  /** What approvals of it are to be given for; a change that keeps a release warm is over by then. */
  async function digestOf(row: ChangeRow): Promise<string> {
    const active = await store.activeFor(row.target);
    const warm = active.find((each) => each.id !== row.id && isWarm(each) && each.stable === row.stable);
    return planDigestOf({ ...row, stable: warm && row.kind === warm.kind ? warm.candidate : row.stable });
  }

  /** A new change with the rules that it falls under. */
  async function guard(row: ChangeRow): Promise<ChangeRow> {
    return { ...row, approval_rules: rulesFor(rules, row), plan_digest: await digestOf(row) };
  }

  /** Whether changes of a kind need approvals there. */
  const isAbout = (kind: string, environment: string): boolean =>
    rulesFor(rules, { kind, environment }).length > 0;

  /** What speaks against beginning now; a warning, as the change waits. */
  function find(row: ChangeRow): Finding[] {
    const missing = missingOf({ ...row, override_approval: null });
    if (missing.length === 0) return [];
    const error = new AppError("CHANGE_UNAPPROVED", { target: row.target, people: peopleOf(missing) });
    const why = row.override_approval;
    if (why === null) return [findingOf(error, { severity: "warning" })];
    const finding = findingOf(error, { isForced: true });
    return [{ ...finding, message: `${finding.message}; overridden: ${why}` }];
  }

  /** Writes what a waiting change has become; approvals of another plan no longer count. */
  function alter(row: ChangeRow, patch: Partial<ChangeRow>, reason: string): Promise<boolean> {
    const to = { kind: "go", to: row.position, by: "platform", reason } as const;
    const as = { action: "changes.altered", event: "changes.approval_awaited" } as const;
    return transitions.apply(row, to, { origin: PLATFORM, patch, as });
  }

  /** Adopts rules that are others by now, or ends what has waited too long; true when it did. */
  async function renew(row: ChangeRow): Promise<boolean> {
    const present = rulesFor(rules, row);
    if (!isDeepStrictEqual(present, row.approval_rules))
      return alter(row, { approval_rules: present }, "other approvals are asked for by now");
    const expiresAt = expiryOf(row);
    if (expiresAt === null || expiresAt > clock.now()) return false;
    const people = peopleOf(missingOf(row));
    const decision = end(row, { reason: `it waited too long for approval by ${people}`, by: "platform" });
    return decision.kind === "go" && transitions.apply(row, decision, { origin: PLATFORM });
  }

  /** Adopts a plan that is another than the one that was approved; true when it was. */
  async function adopt(row: ChangeRow, patch: Partial<ChangeRow>): Promise<boolean> {
    if (row.approval_rules.length === 0 || row.override_approval !== null) return false;
    const digest = await digestOf({ ...row, ...patch });
    if (digest === row.plan_digest) return false;
    await alter(row, { ...patch, plan_digest: digest }, "the plan is another by now: approvals lapse");
    return true;
  }

  function end(row: ChangeRow, { reason, by }: { reason: string; by: string }): Decision {
    const command = { name: "abort", reason, by } as const;
    return decide(row.plan, row.position, { ...nothingKnown(clock.now().getTime()), command });
  }

  /** The change as it stands, with the plan that it would begin with now. */
  async function waiting(id: string): Promise<ChangeRow> {
    for (;;) {
      const row = await store.change(id);
      if (!row) throw new AppError("NOT_FOUND", { what: `change ${id}` });
      if (row.state !== "requested")
        throw new AppError("CHANGE_REFUSED", { change: id, verb: "be approved", state: row.state });
      const kind = kinds.find((each) => each.kind === row.kind);
      if (!kind) return row;
      const patch = adoptPreparation(kind, row, await kind.prepare(row));
      if (!(await adopt(row, patch))) return row;
    }
  }

  async function rolesOf(row: ChangeRow, { actor, onBehalfOf = null }: Origin): Promise<string[]> {
    const counting = row.approval_rules.filter(
      (each) =>
        each.allowRequester || !isSamePerson([actor, onBehalfOf], [row.requested_by, row.on_behalf_of]),
    );
    const named = [...new Set(counting.map(({ role }) => role))];
    const held = await Promise.all(named.map((role) => holdsRole(actor, role, row)));
    const roles = named.filter((_, index) => held[index]);
    if (roles.length > 0) return roles;
    const reason =
      row.approval_rules.length === 0
        ? "it needs none"
        : counting.length === 0
          ? "nobody approves a change of their own"
          : `it is for holders of ${named.join(" or ")}`;
    throw new AppError("APPROVAL_REFUSED", { change: row.id, reason });
  }

  /** Approves a waiting change as it is now; refused when its plan is not the one that was looked at. */
  async function approve(
    id: string,
    { reason, planDigest }: { reason: string | null; planDigest?: string | undefined },
    origin: Origin,
  ): Promise<void> {
    const { actor, onBehalfOf = null } = origin;
    for (;;) {
      const row = await waiting(id);
      if (planDigest !== undefined && planDigest !== row.plan_digest)
        throw new AppError("CHANGE_ALTERED", { change: id });
      const roles = await rolesOf(row, origin);
      const isTheirs = (each: Approval) =>
        isSamePerson([each.by, each.onBehalfOf], [actor, onBehalfOf]) && each.planDigest === row.plan_digest;
      if (row.approvals.some(isTheirs))
        throw new AppError("APPROVAL_REFUSED", { change: id, reason: "you have approved it already" });
      const at = clock.now().toISOString();
      const approval = { by: actor, onBehalfOf, at, reason, roles, planDigest: row.plan_digest };
      const patch = { approvals: [...row.approvals, approval] };
      const why = `approved${reason === null ? "" : `: ${reason}`}`;
      const go = { kind: "go", to: row.position, by: actor.name, reason: why } as const;
      const as = { action: "changes.approved", event: "changes.approved" } as const;
      if (await transitions.apply(row, go, { origin, patch, as })) return;
    }
  }

  /** Ends a waiting change for good; whoever could have approved may. */
  async function reject(id: string, reason: string, origin: Origin): Promise<void> {
    for (;;) {
      const row = await waiting(id);
      await rolesOf(row, origin);
      const by = origin.actor.name;
      const decision = end(row, { reason: `rejected: ${reason}`, by });
      if (decision.kind !== "go") throw new Error(`the waiting change ${id} cannot be ended`);
      const as = { action: "changes.rejected", event: "changes.undone" } as const;
      if (await transitions.apply(row, decision, { origin, as })) return;
    }
  }

  return { guard, isAbout, find, renew, adopt, approve, reject };
}
export type Approvals = ReturnType<typeof createApprovals>;

function isWarm({ state }: ChangeRow): boolean {
  return state === "baking" || state === "draining";
}
