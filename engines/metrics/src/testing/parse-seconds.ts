import { parseDurationMs } from "../promql/syntax/literals.ts";

/** A duration as PromQL writes it, or a number of seconds. */
export function parseSeconds(text: string): number {
  const durationMs = parseDurationMs(text);
  return durationMs === null ? Number(text) : durationMs / 1000;
}
