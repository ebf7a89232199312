import { setTimeout as delay } from "node:timers/promises";
import type { PlatformResource } from "@mainstay/api";
import type { Context } from "../context.ts";
import { pullWords } from "../output/pull-words.ts";

const LOOK_MS = 1000;

/** Shows which images are on their way for as long as the act takes that waits for them. */
export async function showingPulls<Result>(context: Context, act: Promise<Result>): Promise<Result> {
  const done = new AbortController();
  const showing = show(context, done.signal);
  try {
    return await act;
  } finally {
    done.abort();
    await showing;
  }
}

async function show(context: Context, signal: AbortSignal): Promise<void> {
  while (await isWaiting(signal)) {
    // Only for show: whatever goes wrong here, the act itself tells.
    const platform = await context.api.get<PlatformResource>("/platform").catch(() => null);
    const [pull] = platform?.pulls ?? [];
    if (pull && !signal.aborted) context.status(`${pullWords(pull)} …`);
  }
}

function isWaiting(signal: AbortSignal): Promise<boolean> {
  return delay(LOOK_MS, true, { signal }).catch(() => false);
}
