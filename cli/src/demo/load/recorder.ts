import { createLatencyHistogram } from "./latency-histogram.ts";
import type { LoadSummary, LoadTick, LostSample } from "./load-lines.ts";
import { classify, type Result } from "./outcome.ts";
import type { Plan } from "./planner.ts";
import { createTally, type Tally } from "./tally.ts";

export interface Recorder {
  sent(plan: Plan, sendDelayMs: number): void;
  finished(plan: Plan, result: Result, finish: { at: Date; latencyMs: number }): void;
  /** The counts since the last tick, which end with it. */
  takeTick(now: { at: Date; atMs: number }): LoadTick;
  summarize(whole: {
    startedAt: Date;
    durationMs: number;
    usersWithCookie: number;
    cpuSeconds: number;
  }): LoadSummary;
}

const MAX_LOST_SAMPLES = 100;

/** Turns requests and their results into the lines of the output. */
export function createRecorder(): Recorder {
  const second = createTally();
  const whole = createTally();
  const sendDelays = createLatencyHistogram();
  const sentAs = { get: 0, put: 0, keepAlive: 0, close: 0, cookieless: 0 };
  const lostSamples: LostSample[] = [];
  let inflight = 0;

  return {
    sent({ user, request }, sendDelayMs) {
      inflight += 1;
      second.sent();
      whole.sent();
      sendDelays.record(sendDelayMs);
      sentAs[request.method === "GET" ? "get" : "put"] += 1;
      sentAs[request.close ? "close" : "keepAlive"] += 1;
      if (user === null) sentAs.cookieless += 1;
    },
    finished({ request }, result, { at, latencyMs }) {
      inflight -= 1;
      const outcome = classify(result);
      const release = "status" in result ? result.release : null;
      for (const tally of [second, whole]) tally.finish({ outcome, latencyMs, release });
      if (outcome.kind !== "lost" || lostSamples.length >= MAX_LOST_SAMPLES) return;
      const { method, path, close } = request;
      const connection = close ? "close" : "keep-alive";
      lostSamples.push({ at: at.toISOString(), method, path, connection, reason: outcome.reason });
    },
    takeTick({ at, atMs }) {
      const counts = countsOf(second);
      second.clear();
      return { type: "tick", at: at.toISOString(), atMs: Math.round(atMs), inflight, ...counts };
    },
    summarize({ startedAt, durationMs, usersWithCookie, cpuSeconds }) {
      return {
        type: "summary",
        startedAt: startedAt.toISOString(),
        durationMs: Math.round(durationMs),
        ...countsOf(whole),
        p99Ms: whole.quantileMs(0.99),
        sentAs,
        usersWithCookie,
        sendDelayP99Ms: sendDelays.quantile(0.99),
        cpuSeconds,
        lostSamples,
      };
    },
  };
}

function countsOf(tally: Tally) {
  return { ...tally.read(), p50Ms: tally.quantileMs(0.5), p95Ms: tally.quantileMs(0.95) };
}
