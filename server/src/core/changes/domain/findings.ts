import type { AppError } from "@mainstay/api";
import type { Finding } from "../ports.ts";

/** An error of the catalogue as something that speaks against a change; an error that cannot be forced. */
export function findingOf(
  error: AppError,
  options: Partial<Pick<Finding, "severity" | "isForceable" | "isForced" | "about">> = {},
): Finding {
  const { code, message, remedy } = error;
  return { code, severity: "error", message, remedy, isForceable: false, isForced: false, ...options };
}

/** Marks the findings that an admin goes on in spite of: errors that may be forced, named by their code. */
export function markForced(findings: Finding[], force: readonly string[]): Finding[] {
  return findings.map((each) => {
    const isForced = each.severity === "error" && each.isForceable && force.includes(each.code);
    return { ...each, isForced };
  });
}

/** Why a change is stopped, in one line; null when nothing stops it. */
export function refusalOf(findings: readonly Finding[]): string | null {
  const standing = findings.filter((each) => each.severity === "error" && !each.isForced);
  return standing.length === 0 ? null : standing.map(withRemedy).join("; ");
}

/** What the timeline keeps of findings that did not stop the change; null when there are none. */
export function noteOf(findings: readonly Finding[]): string | null {
  const forced = findings.filter((each) => each.isForced);
  const warnings = findings.filter((each) => each.severity === "warning");
  const parts = [
    ...forced.map((each) => `forced ${each.code}: ${each.message}`),
    ...warnings.map((each) => `warning ${each.code}: ${each.message}`),
  ];
  return parts.length === 0 ? null : parts.join("; ");
}

function withRemedy({ message, remedy }: Finding): string {
  return `${message} (${remedy})`;
}
