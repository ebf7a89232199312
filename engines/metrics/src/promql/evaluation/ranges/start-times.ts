import type { Window } from "../window.ts";

/** A sample with the time at which its counter began, 0 when that is not known. */
export interface Started {
  startMs: number;
  timeMs: number;
}

/** Whether a counter began anew between two samples, judged by the times at which it began. */
export function isRestart(previous: Started, current: Started): boolean {
  if (current.startMs === 0 || current.startMs >= current.timeMs) return false;
  if (current.startMs < previous.timeMs) return false;
  if (current.startMs > previous.timeMs) return true;
  if (previous.startMs > previous.timeMs) return false;
  return previous.startMs !== 0 && previous.startMs !== previous.timeMs;
}

/**
 * A counter that is said to have begun before its last sample was taken, at another time than that one said.
 */
export function warnOverlap(
  { annotations, position, metricName }: Window,
  previous: Started,
  current: Started,
): void {
  const overlaps =
    current.startMs !== 0 && current.startMs < previous.timeMs && current.startMs !== previous.startMs;
  if (!overlaps) return;
  const message = "sample has start time that overlaps with previous sample timestamp";
  annotations.warn(`${message} for metric ${JSON.stringify(metricName)}`, position);
}

export function startedAt(times: Float64Array, starts: Float64Array | null, index: number): Started {
  return { startMs: starts?.[index] ?? 0, timeMs: times[index] ?? 0 };
}
