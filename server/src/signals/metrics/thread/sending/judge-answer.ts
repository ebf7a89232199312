import type { PostAnswer } from "./post.ts";

/** How many of a kind the receiver says that it wrote; null: it does not say. */
export interface Written {
  samples: number;
  histograms: number;
}

/** What is to be done after an answer. */
export type Judgement =
  | { act: "go-on"; written: Written | null }
  /** The receiver does not know version 2: the same again in version 1. */
  | { act: "fall-back" }
  | { act: "again"; message: string; afterMs: number | null }
  /** It takes no more of this, and sending it again would not help. */
  | { act: "give-up"; status: number; message: string; written: Written | null };

export interface Asked {
  version: 1 | 2;
  /** Whether the receiver may be one that knows version 1 alone. */
  mayFallBack: boolean;
  nowMs: number;
}

/** Answers of who takes the body for something else, or does not look at its type. */
const UNKNOWN_TYPE: readonly number[] = [400, 404, 405, 406, 415, 501];
const LONGEST_WAIT_MS = 5 * 60_000;

/**
 * Remote-Write 2.0, "Response": 2xx is success, 429 and 5xx are tried again, other 4xx are not. Who knows
 * 2.0 says in headers what it wrote; 415, or a success that does not say it, is of who knows 1.0 alone.
 */
export function judgeAnswer(answer: PostAnswer, { version, mayFallBack, nowMs }: Asked): Judgement {
  const { status } = answer;
  const written = writtenOf(answer);
  const isOk = status >= 200 && status < 300;
  const isStranger = version === 2 && written === null && (isOk || UNKNOWN_TYPE.includes(status));
  if (isStranger && mayFallBack) return { act: "fall-back" };
  if (isOk && !isStranger) return { act: "go-on", written };
  const said = answer.message === "" ? "" : `: ${answer.message}`;
  const message = isOk
    ? "the receiver does not say that it wrote anything: it may not know remote-write 2.0"
    : `HTTP ${status}${said}`;
  if (status === 429 || status >= 500) return { act: "again", message, afterMs: retryAfter(answer, nowMs) };
  return { act: "give-up", status, message, written };
}

function writtenOf({ headers }: PostAnswer): Written | null {
  const read = (kind: string): number | null => {
    const text = headers[`x-prometheus-remote-write-${kind}-written`];
    return typeof text === "string" && /^\d+$/.test(text) ? Number(text) : null;
  };
  const [samples, histograms] = [read("samples"), read("histograms")];
  return samples === null && histograms === null
    ? null
    : { samples: samples ?? 0, histograms: histograms ?? 0 };
}

/** Seconds, or a date (RFC 9110, 10.2.3); never longer than five minutes. */
function retryAfter({ headers }: PostAnswer, nowMs: number): number | null {
  const text = headers["retry-after"];
  if (typeof text !== "string") return null;
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(0, waitMs), LONGEST_WAIT_MS);
}
