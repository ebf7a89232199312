import { matchesGlob } from "node:path";
import type { Finding } from "./finding.ts";

/** Where rules do not hold, and why; what is listed without need is a finding itself. */
export interface Exception {
  rules: string[];
  /** Paths or globs. */
  paths: string[];
  /** Excuses only findings whose message holds this. */
  about?: string;
  reason: string;
  /** The rule shall hold one day: what is excused stays visible as a warning. */
  grace?: boolean;
}

export interface Verdict {
  findings: Finding[];
  warnings: Finding[];
}

/** An exception at one of its paths. */
interface Excuse {
  exception: Exception;
  path: string;
  isNeeded: boolean;
}

/** Takes out what is excused, and adds a finding for each path that nobody needs to be excused. */
export function applyExceptions(findings: Finding[], exceptions: Exception[]): Verdict {
  const excuses = exceptions.flatMap((exception): Excuse[] =>
    exception.paths.map((path) => ({ exception, path, isNeeded: false })),
  );
  const verdict: Verdict = { findings: [], warnings: [] };
  for (const finding of findings) {
    const fitting = excuses.filter((excuse) => isExcusedBy(finding, excuse));
    for (const excuse of fitting) excuse.isNeeded = true;
    if (fitting.length === 0) verdict.findings.push(finding);
    else if (fitting.some((excuse) => excuse.exception.grace)) verdict.warnings.push(finding);
  }
  verdict.findings.push(...excuses.filter((excuse) => !excuse.isNeeded).map(describeUnneeded));
  return verdict;
}

function isExcusedBy({ rule, path, message }: Finding, excuse: Excuse): boolean {
  const { rules, about = "" } = excuse.exception;
  return rules.includes(rule) && message.includes(about) && matchesGlob(path, excuse.path);
}

function describeUnneeded({ exception: { rules }, path }: Excuse): Finding {
  const message = `${path} needs no exception from ${rules.join(", ")}`;
  return { rule: "exception", path: "tools/tidy/house-rules.ts", line: 1, message };
}
