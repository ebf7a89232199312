import type { FindingResource } from "@mainstay/api";

/** Findings for people: errors first, each with its code, its remedy and whether it can be forced. */
export function findingLines(findings: readonly FindingResource[]): string[] {
  const errors = findings.filter((each) => each.severity === "error");
  const warnings = findings.filter((each) => each.severity === "warning");
  return [...errors, ...warnings].flatMap((each) => [
    `  ${labelOf(each)}  ${each.code}: ${each.message}`,
    `    → ${each.remedy}${canBeForced(each) ? ` Or go on in spite of it: --force ${each.code}` : ""}`,
  ]);
}

/** How many findings stop the change. */
export function stoppingCount(findings: readonly FindingResource[]): number {
  return findings.filter((each) => each.severity === "error" && !each.isForced).length;
}

function labelOf(finding: FindingResource): string {
  return finding.isForced ? "forced " : finding.severity.padEnd(7);
}

function canBeForced(finding: FindingResource): boolean {
  return finding.severity === "error" && finding.isForceable && !finding.isForced;
}
