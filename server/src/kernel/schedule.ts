import { createHash } from "node:crypto";

/**
 * At which point of its interval something that is repeated takes its turn: the same one as long
 * as its name is the same, and another for each of many, so that they do not all begin at once.
 */
export function offsetOf(name: string, intervalMs: number): number {
  return createHash("sha256").update(name).digest().readUInt32BE(0) % intervalMs;
}

/** The first time after `nowMs` that lies at the offset of an interval; intervals are counted from 1970. */
export function nextTurnMs(nowMs: number, intervalMs: number, offsetMs: number): number {
  const passedMs = (((nowMs - offsetMs) % intervalMs) + intervalMs) % intervalMs;
  return nowMs - passedMs + intervalMs;
}
