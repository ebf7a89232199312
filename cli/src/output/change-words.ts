import type { ChangeResource, EvidenceResource, TaskName, TimelineEntry } from "@mainstay/api";
import { formatDuration, formatShare } from "@mainstay/api/plain";
import { awaitedWords } from "./approval-words.ts";
import { gateWords } from "./gate-words.ts";

/** What runs with the variables of a release, beside its processes. */
export const TASK_WORDS: Record<TaskName, string> = {
  release: "release command",
  rehearsal: "rehearsal of the stable release",
  hook: "hook",
  run: "command",
};

/** One line for a timeline entry: when, where it went, who says so and why. */
export function entryLine(entry: TimelineEntry, stages: ChangeResource["stages"]): string {
  const stage = stages[entry.stage];
  const to = entry.to === "stepping" && stage ? `stepping ${formatShare(stage.weight)}` : entry.to;
  return `${entry.at.slice(11, 19)}  ${to.padEnd(18)}  ${entry.by}: ${entry.reason}`;
}

/** What is going on right now, short enough for one line of a terminal. */
export function statusLine(change: ChangeResource, nowMs: number): string {
  const awaited = awaitedWords(change);
  if (awaited !== null) return `${change.state}, waits for approval by ${awaited}`;
  const share = change.state === "stepping" ? ` ${formatShare(change.weight)}` : "";
  const since = change.stageStartedAt ? Math.max(0, nowMs - Date.parse(change.stageStartedAt)) : null;
  const stage = change.stages[change.stage];
  const isStaged = change.state === "stepping" && since !== null && stage;
  const bake = isStaged
    ? `, ${formatDuration(Math.floor(since / 1000) * 1000)} of ${formatDuration(stage.bakeMs)}`
    : "";
  const evidence = change.evidence ? [evidenceLine(change.evidence)] : [];
  const gates = isStaged || change.state === "baking" ? gateWords(change) : "";
  return [`${change.state}${share}${bake}`, ...evidence, ...(gates === "" ? [] : [gates])].join(" · ");
}

/** The judge's view in numbers: each metric's e-value against its threshold. */
export function evidenceLine(evidence: EvidenceResource): string {
  const metrics = evidence.perMetric.map(
    (each) =>
      `${each.metric}: candidate ${each.candidate.bad}/${each.candidate.total}, stable ${each.stable.bad}/${each.stable.total},` +
      ` e ${shortNumber(each.eValue)} of ${shortNumber(each.threshold)}`,
  );
  return `${evidence.verdict} (${metrics.join("; ")})`;
}

function shortNumber(value: number): string {
  if (value >= 1e6) return value.toExponential(0);
  return value >= 100 ? String(Math.round(value)) : value.toPrecision(2);
}

/** How a change ended, as a sentence. */
export function outcomeLine(change: ChangeResource): string {
  if (change.state === "succeeded" && change.kind === "scale")
    return `${change.service} in ${change.environment} has ${change.candidate}`;
  if (change.state === "succeeded")
    return `${change.candidate} serves ${change.service} in ${change.environment}`;
  if (change.state === "undo-blocked") return `undo-blocked: ${change.outcome ?? "no reason was given"}`;
  const back = change.stable ? `${change.stable} serves as before` : "nothing was serving before";
  return `${change.state}: ${change.outcome ?? "no reason was given"}; ${back}`;
}
