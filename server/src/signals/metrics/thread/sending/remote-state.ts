import type { RemoteWriteResource } from "@mainstay/api";

/** How sending to one receiver goes. */
export interface RemoteState {
  /** The version that the receiver has taken; null: none as yet. */
  agreed: 1 | 2 | null;
  sent: number;
  retried: number;
  failed: Record<string, number>;
  dropped: Record<string, number>;
  /** Of the newest sample that was sent. */
  newestSentMs: number;
  /** Of the first that was to be sent since the start. */
  firstWaitingMs: number | null;
  lastSentMs: number | null;
  failing: { sinceMs: number; message: string } | null;
  firstRefusal: { atMs: number; status: number; message: string } | null;
  /** The last time that samples were lost, and how. */
  lost: { atMs: number; summary: string } | null;
}

/** Reasons by which samples are left out on purpose. */
const WANTED: readonly string[] = ["relabelling", "native-histograms"];
/** For so long it is told that samples were lost. */
const LOST_TOLD_MS = 10 * 60_000;

export function createRemoteState(): RemoteState {
  return {
    ...{
      agreed: null,
      sent: 0,
      retried: 0,
      failed: {},
      dropped: {},
      newestSentMs: -Infinity,
      firstWaitingMs: null,
    },
    ...{ lastSentMs: null, failing: null, firstRefusal: null, lost: null },
  };
}

export interface Dropped {
  reason: string;
  samples: number;
  atMs: number;
}

export function countDropped(state: RemoteState, { reason, samples, atMs }: Dropped): void {
  if (samples === 0) return;
  state.dropped[reason] = (state.dropped[reason] ?? 0) + samples;
  if (WANTED.includes(reason)) return;
  state.lost = { atMs, summary: `samples were dropped (${reason})` };
}

/** What was sent has to be sent again. */
export function noteFailure(state: RemoteState, message: string, atMs: number): void {
  state.failing = { sinceMs: state.failing?.sinceMs ?? atMs, message };
}

/** What is wrong, in words; null: nothing. How long it lasts is for others to judge. */
export function troubleOf(state: RemoteState, nowMs: number): string | null {
  if (state.failing !== null) return state.failing.message;
  return state.lost !== null && nowMs - state.lost.atMs < LOST_TOLD_MS ? state.lost.summary : null;
}

export interface Shown {
  name: string;
  url: URL;
  backlogBytes: number;
  newestMs: number;
}

/** As it is shown; what stands in a URL behind its path may be secret. */
export function viewOf(
  state: RemoteState,
  { name, url, backlogBytes, newestMs }: Shown,
): RemoteWriteResource {
  const { failing, firstRefusal, newestSentMs, firstWaitingMs } = state;
  const sentMs = Math.max(newestSentMs, firstWaitingMs ?? -Infinity);
  const behindMs = backlogBytes === 0 ? 0 : newestMs - sentMs;
  return {
    ...{ name, url: `${url.origin}${url.pathname}`, state: failing === null ? "sending" : "failing" },
    ...{ protocol: state.agreed, sentSamples: state.sent, retriedSamples: state.retried },
    ...{ failedSamples: { ...state.failed }, droppedSamples: { ...state.dropped }, backlogBytes },
    behindSeconds: Number.isFinite(behindMs) ? Math.max(0, behindMs) / 1000 : null,
    lastSentAt: toTime(state.lastSentMs),
    failingSince: toTime(failing?.sinceMs ?? null),
    lastError: failing?.message ?? null,
    firstRefusal: firstRefusal && {
      ...{ at: new Date(firstRefusal.atMs).toISOString(), status: firstRefusal.status },
      message: firstRefusal.message,
    },
  };
}

function toTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
