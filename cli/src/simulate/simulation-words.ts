import { formatDuration, formatShare } from "@mainstay/api/plain";
import { table } from "../output/table.ts";
import type { Situation, Summary } from "./scenario.ts";

const BAR_WIDTH = 10;
const MINUTE_MS = 60_000;

/**
 * What the judge would do, as tables: what it notices by which stage, and what it costs a healthy release.
 */
export function simulationWords(
  situation: Situation,
  summaries: readonly Summary[],
  notes: string[],
): string {
  const healthy = summaries[0];
  const sick = summaries.slice(1);
  const stageRows = situation.stages.map(({ weight, bakeMs }, stage) => [
    ...[`${formatShare(weight)} for ${formatDuration(bakeMs)}`],
    ...sick.map((each) => chance(each.noticedBy[stage] ?? 0)),
    waiting(healthy?.holdMs[stage] ?? null),
  ]);
  const ends = [
    ["reaches 100%", ...sick.map((each) => formatShare(each.promoted)), formatShare(healthy?.promoted ?? 0)],
    [
      "still held after a day",
      ...sick.map((each) => formatShare(each.held)),
      formatShare(healthy?.held ?? 0),
    ],
    ["median until undone", ...sick.map((each) => lasting(each.medianUndoMs)), ""],
    ["runs", ...sick.map((each) => String(each.runs)), String(healthy?.runs ?? 0)],
  ];
  const { ratePerSecond, errorShare, medianLatencyMs } = situation;
  return [
    `${ratePerSecond} requests/s, ${formatShare(errorShare)} errors, median ${formatDuration(medianLatencyMs)}`,
    "",
    table(
      ["UNDONE BY THE END OF", ...sick.map((each) => each.scenario), "healthy: held longer by"],
      [...stageRows, ...ends],
    ),
    "",
    ...notes,
  ].join("\n");
}

/** "▇▇▇▇▇▇▇▇░░ 82%" */
function chance(share: number): string {
  const filled = Math.round(share * BAR_WIDTH);
  return `${"▇".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)} ${formatShare(Number(share.toFixed(2)))}`;
}

function lasting(ms: number | null): string {
  return ms === null ? "–" : formatDuration(ms > MINUTE_MS ? Math.round(ms / 1000) * 1000 : ms);
}

function waiting(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 500 ? "no" : formatDuration(Math.round(ms / 1000) * 1000);
}
