/** What HAProxy tells of one request; `LOG_FORMAT` in render-config.ts writes it. */
export interface LoggedRequest {
  backend: string;
  server: string;
  /** Null where nobody was assigned. */
  bucket: number | null;
  method: string;
  /** -1: none was sent. */
  status: number;
  /** Who ended it, and amid what: configuration.txt, section 8.5. */
  cause: string;
  phase: string;
  /** Until the head of the instance's answer; null without one. */
  answerMs: number | null;
  totalMs: number;
  retries: number;
}

/** In place of the method of a request whose head never came to its end. */
const NO_HEAD = "<BADREQ>";
const LINE = /^(\S+) (\S+) (-|\d+) (\S+) (-?\d+) (.)(.) (-|-?\d+) \+?(-?\d+) \+?(\d+)/;

/** Null: a line of another kind. */
export function readLogLine(line: string): LoggedRequest | null {
  const parts = LINE.exec(line);
  if (!parts) return null;
  const [, backend = "", server = "", bucket, method = "", status, cause = "", phase = "", us, ms, retries] =
    parts;
  return {
    backend,
    server,
    bucket: bucket === "-" ? null : Number(bucket),
    method,
    status: Number(status),
    cause,
    phase,
    // The clock may have been set back meanwhile.
    answerMs: us === "-" ? null : Math.max(0, Number(us) / 1000),
    totalMs: Math.max(0, Number(ms)),
    retries: Number(retries),
  };
}

/** How a request ended, in the words of the counters. */
export type Ending =
  | { kind: "answered"; isCut: "no" | "instance" | "client" }
  | { kind: "failed"; lost: string | null; isTimeout: boolean; isReset: boolean }
  | { kind: "refused"; reason: string }
  | { kind: "left" };

const CLIENT = "Cc";
const INSTANCE = "Ss";

/** Of a request that was meant for an instance. */
export function endingOf({ cause, phase, status, answerMs }: LoggedRequest): Ending {
  if (answerMs !== null) {
    if (CLIENT.includes(cause)) return { kind: "answered", isCut: "client" };
    return { kind: "answered", isCut: INSTANCE.includes(cause) ? "instance" : "no" };
  }
  if (cause === "c" && status === 408) return { kind: "refused", reason: "body_timeout" };
  if (CLIENT.includes(cause)) return { kind: "left" };
  if (phase === "C") return failed({ lost: cause === "s" ? "connect_timeout" : "refused" });
  if (cause === "s") return failed({ isTimeout: true });
  return INSTANCE.includes(cause) || cause === "P"
    ? failed({ isReset: cause === "S" })
    : failed({ lost: "haproxy" });
}

function failed(what: Partial<Extract<Ending, { kind: "failed" }>>): Ending {
  return { kind: "failed", lost: null, isTimeout: false, isReset: false, ...what };
}

/** Of what was refused before an instance was asked; null: the client left. */
export function refusalOf({ method, cause, status }: LoggedRequest): string | null {
  if (status === 408) return method === NO_HEAD ? "head_timeout" : "body_timeout";
  if (status === 400 || status === 414 || status === 431) return "malformed";
  return status > 0 && cause === "P" ? "malformed" : null;
}
