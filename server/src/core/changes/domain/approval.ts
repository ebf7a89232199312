import { createHash } from "node:crypto";
import type { ApprovalRule } from "@mainstay/api";
import type { ChangeRow } from "../store.ts";
import type { Approval, Person } from "./given-approval.ts";

type Planned = Pick<
  ChangeRow,
  "kind" | "target" | "candidate" | "stable" | "immediate" | "plan" | "judge" | "limits" | "force"
>;
type Guarded = Pick<
  ChangeRow,
  "approval_rules" | "approvals" | "plan_digest" | "requested_by" | "on_behalf_of" | "override_approval"
>;

/** What is being approved: what replaces what, in which steps, judged how, in spite of which findings. */
export function planDigestOf(planned: Planned): string {
  const { kind, target, candidate, stable, immediate, plan, judge, limits, force } = planned;
  const text = JSON.stringify(
    sorted({ kind, target, candidate, stable, immediate, plan, judge, limits, force }),
  );
  return createHash("sha256").update(text).digest("hex");
}

/** The rules that a change falls under. */
export function rulesFor(
  rules: readonly ApprovalRule[],
  change: Pick<ChangeRow, "kind" | "environment">,
): ApprovalRule[] {
  const { kind, environment } = change;
  return rules.filter(
    (each) =>
      (each.environment === null || each.environment === environment) &&
      each.kinds.some((named) => named === kind),
  );
}

/** A rule and how many of its approvals are there; only those of the plan as it is count. */
export interface Awaited {
  rule: ApprovalRule;
  given: number;
}

export function awaitedOf(change: Guarded): Awaited[] {
  return change.approval_rules.map((rule) => ({ rule, given: countOf(change, rule) }));
}

/** Those that are not given yet; none when somebody said why it goes on without them. */
export function missingOf(change: Guarded): Awaited[] {
  if (change.override_approval !== null) return [];
  return awaitedOf(change).filter(({ rule, given }) => given < rule.count);
}

/** "2 more holders of the role admin" */
export function peopleOf(missing: readonly Awaited[]): string {
  const words = missing.map(({ rule, given }) => {
    const count = rule.count - given;
    const more = given > 0 ? " more" : "";
    return `${count}${more} ${count === 1 ? "holder" : "holders"} of the role ${rule.role}`;
  });
  return words.join(" and ");
}

/** When a change that waits is given up: so long after the last news of it. */
export function expiryOf(change: Guarded & Pick<ChangeRow, "updated_at">): Date | null {
  const limits = missingOf(change).map(({ rule }) => rule.expiry);
  return limits.length === 0 ? null : new Date(change.updated_at.getTime() + Math.min(...limits));
}

/** Whether two acted as one: by themselves, or by a key that stands for them. */
export function isSamePerson(one: readonly (Person | null)[], other: readonly (Person | null)[]): boolean {
  return one.some((each) =>
    other.some((person) => each && person && each.type === person.type && each.id === person.id),
  );
}

function countOf(change: Guarded, rule: ApprovalRule): number {
  return change.approvals.filter(
    (each) =>
      each.planDigest === change.plan_digest &&
      each.roles.includes(rule.role) &&
      (rule.allowRequester || !isOwn(each, change)),
  ).length;
}

function isOwn({ by, onBehalfOf }: Approval, change: Guarded): boolean {
  return isSamePerson([by, onBehalfOf], [change.requested_by, change.on_behalf_of]);
}

/** With the keys of every object in order, so that equal values have equal texts. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const pairs = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(pairs.map(([key, each]) => [key, sorted(each)]));
}
