import { createHash } from "node:crypto";

/** How far a scrape may be from its time and still bear it: equal distances take less space. */
const TOLERANCE_MS = 2;

/**
 * At which point of its interval a target is scraped: the same one as long as target and seed are the same,
 * and another for each of many targets.
 */
export function offsetOf(target: string, seed: string, intervalMs: number): number {
  const hash = createHash("sha256").update(seed).update("\0").update(target).digest();
  return hash.readUInt32BE(0) % intervalMs;
}

/** The first time after `nowMs` that lies at the offset. */
export function nextScrapeMs(nowMs: number, intervalMs: number, offsetMs: number): number {
  const passed = (((nowMs - offsetMs) % intervalMs) + intervalMs) % intervalMs;
  return nowMs - passed + intervalMs;
}

/** The time that samples get of a scrape that was due and began a little later. */
export function timestampOf(beganMs: number, dueMs: number): number {
  return Math.abs(beganMs - dueMs) <= TOLERANCE_MS ? dueMs : beganMs;
}
