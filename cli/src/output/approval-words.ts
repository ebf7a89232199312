import type { ChangeResource } from "@mainstay/api";

type Guarded = Pick<ChangeResource, "awaited" | "approvals">;

/** The approvals that a change still waits for, in words; null when it waits for none. */
export function awaitedWords({ awaited }: Pick<ChangeResource, "awaited">): string | null {
  const missing = awaited.filter(({ given, count }) => given < count);
  if (missing.length === 0) return null;
  return missing.map(({ role, given, count }) => `${role} (${given} of ${count})`).join(" and ");
}

/** Who has approved and what is still waited for, one a line. */
export function approvalLines(change: Guarded): string[] {
  const given = change.approvals.map(({ by, at, reason, isCurrent }) => {
    const why = reason === null ? "" : `: ${reason}`;
    return `approved   by ${by.name} at ${at.slice(0, 16)}${why}${isCurrent ? "" : " (of an earlier plan)"}`;
  });
  const awaited = awaitedWords(change);
  return awaited === null ? given : [...given, `waits for  approval by ${awaited}`];
}
