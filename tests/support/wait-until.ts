import { createSystemClock } from "../../server/src/kernel/clock.ts";

const DEADLINE_MS = 30_000;
const LOOK_MS = 25;

type Nothing = null | undefined | false;

/**
 * Asks again and again until there is an answer, and gives
 * it back; throws what was waited for when the time is over.
 */
export async function waitUntil<Answer>(
  what: string,
  ask: () => Promise<Answer | Nothing> | Answer | Nothing,
  { deadlineMs = DEADLINE_MS, lookMs = LOOK_MS } = {},
): Promise<Answer> {
  const clock = createSystemClock();
  const endMs = clock.monotonicMs() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (clock.monotonicMs() >= endMs) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await clock.sleep(lookMs);
  }
}
