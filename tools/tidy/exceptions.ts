import { matchesGlob } from "node:path";
import type { Finding } from "./finding.ts";

/** Where a rule does not hold, and why; an exception that excuses nothing is a finding itself. */
export interface Exception {
  rule: string;
  /** A path or a glob. */
  path: string;
  reason: string;
  /** The rule shall hold one day: what is excused stays visible as a warning. */
  grace?: boolean;
}

export interface Verdict {
  findings: Finding[];
  warnings: Finding[];
}

/** Takes out what is excused, and adds a finding for each exception that nobody needs. */
export function applyExceptions(findings: Finding[], exceptions: Exception[]): Verdict {
  const needed = new Set<Exception>();
  const verdict: Verdict = { findings: [], warnings: [] };
  for (const finding of findings) {
    const excuse = exceptions.find(
      (each) => each.rule === finding.rule && matchesGlob(finding.path, each.path),
    );
    if (excuse) needed.add(excuse);
    if (!excuse) verdict.findings.push(finding);
    else if (excuse.grace) verdict.warnings.push(finding);
  }
  for (const exception of exceptions) {
    if (!needed.has(exception)) verdict.findings.push(unneeded(exception));
  }
  return verdict;
}

function unneeded({ rule, path }: Exception): Finding {
  return {
    rule: "exception",
    path: "tools/tidy/house-rules.ts",
    line: 1,
    message: `nobody needs ${rule} for ${path}`,
  };
}
