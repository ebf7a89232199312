import type { ReportResource } from "@mainstay/api";
import { formatDuration, formatShare } from "@mainstay/api/plain";
import { outcomeLine } from "./change-words.ts";
import { gateLine } from "./gate-words.ts";

type Passage = ReportResource["passages"][number];

/** A report as Markdown that reads well in a pull request or a chat. */
export function reportMarkdown(report: ReportResource): string {
  const { change } = report;
  const title = `# ${change.kind} of ${change.service} in ${change.environment}: ${change.state}`;
  const sections = [
    facts(report),
    passages(report),
    verdict(report),
    gates(report),
    findings(report),
    audited(report),
  ];
  return `${[title, "", closing(report), ...sections].join("\n").trimEnd()}\n`;
}

function closing({ change }: ReportResource): string {
  return change.finishedAt === null ? `Under way: ${change.state}.` : `${outcomeLine(change)}.`;
}

function facts({ change, durationMs }: ReportResource): string {
  const took = durationMs === null ? "not ended yet" : formatDuration(durationMs);
  return [
    ...["", "| | |", "|---|---|"],
    row("change", change.id),
    row("requested by", `${change.requestedBy.name}, ${change.createdAt}`),
    row("why", change.reason ?? "no reason given"),
    row("candidate", change.candidate),
    row("stable before", change.stable ?? "none"),
    row("plan", change.stages.map((each) => planned(each)).join(" → ")),
    row("took", took),
  ].join("\n");
}

function planned({ weight, bakeMs }: { weight: number; bakeMs: number }): string {
  return `${formatShare(weight)}${bakeMs > 0 ? ` for ${formatDuration(bakeMs)}` : ""}`;
}

function passages({ passages: all }: ReportResource): string {
  const rows = all.map((each) =>
    row(
      nameOf(each),
      each.enteredAt.slice(11, 19),
      each.durationMs === null ? "–" : formatDuration(each.durationMs),
      leaving(each),
    ),
  );
  return [
    "",
    "## What happened",
    "",
    row("state", "at (UTC)", "lasted", "left by"),
    "|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function nameOf({ state, weight }: Passage): string {
  return weight === null ? state : `${state} ${formatShare(weight)}`;
}

function leaving({ leftBy, reason }: Passage): string {
  return leftBy === null ? "" : `${leftBy}: ${reason ?? ""}`;
}

/** The numbers of the last evidence, in words. */
function verdict({ change }: ReportResource): string {
  const { evidence } = change;
  if (!evidence) return "\n## Evidence\n\nNothing was compared.";
  const lines = evidence.perMetric.map((each) => `- ${each.reason}`);
  const limit = evidence.limit ? [`- limit: ${evidence.limit}`] : [];
  return ["", "## Evidence", "", `Verdict: **${evidence.verdict}**`, "", ...limit, ...lines].join("\n");
}

/** As they stood last; nothing of them where there were none. */
function gates({ change }: ReportResource): string {
  if (change.gates.length === 0) return "";
  return ["", "## Gates", "", ...change.gates.map((gate) => `- ${gateLine(gate)}`)].join("\n");
}

function findings({ change }: ReportResource): string {
  if (change.findings.length === 0) return "\n## Findings\n\nNothing spoke against it.";
  const lines = change.findings.map((each) => {
    const severity = each.isForced ? "forced" : each.severity;
    return `- ${severity} \`${each.code}\`: ${each.message}`;
  });
  return ["", "## Findings", "", ...lines].join("\n");
}

function audited({ audit, links }: ReportResource): string {
  const people = audit.filter((each) => each.actor.type !== "system");
  const lines = people.map(
    (each) => `- ${each.at} ${each.actor.name}: ${each.action}${each.reason ? ` (${each.reason})` : ""}`,
  );
  const count = `${audit.length} acts are in the audit log, ${people.length} of them by people:`;
  const more = Object.entries(links).map(([name, path]) => `- ${name}: \`${path}\``);
  return ["", "## Audited", "", count, "", ...lines, "", "## More", "", ...more].join("\n");
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}
