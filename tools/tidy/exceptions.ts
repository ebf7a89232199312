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

/** One rule of an exception at one of its paths. */
interface Excuse {
  rule: string;
  path: string;
  about: string;
  grace: boolean;
  isNeeded: boolean;
}

/** Takes out what is excused, and adds a finding for each excuse that nobody needs. */
export function applyExceptions(findings: Finding[], exceptions: Exception[]): Verdict {
  const excuses = exceptions.flatMap(listExcuses);
  const verdict: Verdict = { findings: [], warnings: [] };
  for (const finding of findings) {
    const fitting = excuses.filter((excuse) => isExcusedBy(finding, excuse));
    for (const excuse of fitting) excuse.isNeeded = true;
    if (fitting.length === 0) verdict.findings.push(finding);
    else if (fitting.some((excuse) => excuse.grace)) verdict.warnings.push(finding);
  }
  verdict.findings.push(...excuses.filter((excuse) => !excuse.isNeeded).map(describeUnneeded));
  return verdict;
}

function listExcuses({ rules, paths, about = "", grace = false }: Exception): Excuse[] {
  return rules.flatMap((rule) => paths.map((path) => ({ rule, path, about, grace, isNeeded: false })));
}

function isExcusedBy(finding: Finding, { rule, path, about }: Excuse): boolean {
  return finding.rule === rule && finding.message.includes(about) && matchesGlob(finding.path, path);
}

function describeUnneeded({ rule, path, about }: Excuse): Finding {
  const what = about === "" ? rule : `${rule} (${about})`;
  const message = `nobody needs ${what} for ${path}`;
  return { rule: "exception", path: "tools/tidy/house-rules.ts", line: 1, message };
}
