import type { Clock } from "../../../../kernel/clock.ts";
import { reasonOf } from "../../../../kernel/reason-of.ts";
import { judgeAnswer, type Judgement } from "./judge-answer.ts";
import type { OutgoingBatch } from "./outgoing-batch.ts";
import { countDropped, noteFailure, type RemoteState } from "./remote-state.ts";
import type { RemoteSettings } from "./remote-settings.ts";
import type { Requests } from "./requests.ts";

export interface DeliveryDependencies {
  settings: RemoteSettings;
  requests: Requests;
  state: RemoteState;
  clock: Clock;
  /** From 0 to 1. */
  random: () => number;
  /** Aborted when the thread ends. */
  stopping: AbortSignal;
  /** Aborted when it cannot wait any longer for a request that is under way. */
  cutOff: AbortSignal;
  /** Why what has not been sent is given up; null: it is not. */
  excess(): string | null;
  /** Something may have become other than it was. */
  onAnswer(): void;
}

/** Sends a batch until it is taken, refused, given up or too old; false when the thread ends before. */
export type Deliver = (batch: OutgoingBatch, options: { isRepeated: boolean }) => Promise<boolean>;

/** Receivers forget what they were told of families. */
const TELL_AGAIN_MS = 3_600_000;

export function createDelivery(dependencies: DeliveryDependencies): Deliver {
  const { settings, requests, state, clock, random, stopping, cutOff } = dependencies;
  const { protocol, sampleAgeMs, backoffMs: backoff } = settings;
  const nowMs = () => clock.now().getTime();
  let toldAtMs = clock.monotonicMs();

  async function ask(batch: OutgoingBatch, version: 1 | 2): Promise<Judgement> {
    if (clock.monotonicMs() - toldAtMs >= TELL_AGAIN_MS) {
      toldAtMs = clock.monotonicMs();
      requests.forgetTold();
    }
    try {
      const answer = await requests.send(batch.series(), version, cutOff);
      const mayFallBack = protocol === "auto" && (state.agreed !== 2 || answer.status === 415);
      return judgeAnswer(answer, { version, mayFallBack, nowMs: nowMs() });
    } catch (error) {
      return { act: "again", message: reasonOf(error), afterMs: null };
    }
  }

  /** Counts what came of one request. */
  function settle(batch: OutgoingBatch, judged: Judgement, { version, isRepeated }: Attempted): void {
    if (judged.act === "again") return noteFailure(state, judged.message, nowMs());
    if (judged.act === "fall-back") return;
    state.failing = null;
    if (judged.act === "go-on" || judged.written !== null) state.agreed = version;
    const taken = takenOf(batch, judged);
    if (taken > 0) {
      state.sent += taken;
      state.lastSentMs = nowMs();
      state.newestSentMs = Math.max(state.newestSentMs, batch.newestMs());
    }
    if (judged.act === "give-up") refused(judged, { samples: batch.samples() - taken, isRepeated });
  }

  function refused(
    { status, message }: Extract<Judgement, { act: "give-up" }>,
    { samples, isRepeated }: { samples: number; isRepeated: boolean },
  ): void {
    if (samples === 0) return;
    state.failed[status] = (state.failed[status] ?? 0) + samples;
    // Who had all of it before a crash may refuse it now.
    if (isRepeated) return;
    state.firstRefusal ??= { atMs: nowMs(), status, message };
    state.lost = { atMs: nowMs(), summary: `${samples} samples were refused for good, ${message}` };
  }

  return async (batch, { isRepeated }) => {
    let version = state.agreed ?? (protocol === "auto" ? 2 : protocol);
    let pauseMs = backoff.min;
    state.firstWaitingMs ??= batch.newestMs();
    for (;;) {
      if (sampleAgeMs > 0) {
        const samples = batch.dropBefore(nowMs() - sampleAgeMs);
        countDropped(state, { reason: "too-old", samples, atMs: nowMs() });
      }
      if (batch.isEmpty()) return true;
      const judged = await ask(batch, version);
      settle(batch, judged, { version, isRepeated });
      dependencies.onAnswer();
      if (judged.act === "fall-back") version = 1;
      else if (judged.act !== "again") return true;
      else {
        if (stopping.aborted) return false;
        const reason = dependencies.excess();
        if (reason !== null) {
          countDropped(state, { reason, samples: batch.samples(), atMs: nowMs() });
          return true;
        }
        state.retried += batch.samples();
        const waitMs = Math.max(judged.afterMs ?? 0, pauseMs * (0.5 + random() / 2));
        await clock.sleep(waitMs, stopping).catch(() => {});
        if (stopping.aborted) return false;
        pauseMs = Math.min(pauseMs * 2, backoff.max);
      }
    }
  };
}

interface Attempted {
  version: 1 | 2;
  isRepeated: boolean;
}

/** Who says nothing of what was written has taken all of it, or nothing. */
function takenOf(batch: OutgoingBatch, judged: Extract<Judgement, { act: "go-on" | "give-up" }>): number {
  if (judged.act === "go-on") return batch.samples();
  const { written } = judged;
  return written === null ? 0 : Math.min(batch.samples(), written.samples + written.histograms);
}
