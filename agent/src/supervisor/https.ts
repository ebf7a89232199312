import type { Challenge, HttpsSettings } from "@mainstay/api";
import type { WorkerHttps } from "../proxy/worker-protocol.ts";

/** Node seals with a key of 48 bytes: name, HMAC and AES (https://nodejs.org/api/tls.html). */
const TICKET_KEY_BYTES = 48;
/** A stolen key opens recorded sessions of this long, no more. */
const TICKET_KEY_MS = 12 * 3_600_000;

export interface Https {
  /** Resolves when it is saved and in force at the workers. */
  put(settings: HttpsSettings): Promise<void>;
  /** What authorities are asking for just now, all of it. */
  challenge(challenges: Challenge[]): Promise<void>;
  stop(): void;
}

interface HttpsOptions {
  /** What an earlier agent left. */
  saved: WorkerHttps | null;
  push: (https: WorkerHttps) => Promise<void>;
  save: (https: WorkerHttps) => Promise<void>;
  randomBytes: (count: number) => Buffer;
  makeFallback: () => WorkerHttps["fallback"];
  nowMs: () => number;
  /** Calls back again and again; returns what ends that. */
  every: (ms: number, act: () => void) => () => void;
}

/** Certificates, challenges and ticket keys on their way to the workers; kept for those that start later. */
export function createHttps({
  saved,
  push,
  save,
  randomBytes,
  makeFallback,
  nowMs,
  every,
}: HttpsOptions): Https {
  let settings: HttpsSettings | null = saved && settingsOf(saved);
  const fallback = saved?.fallback ?? makeFallback();
  let challenges: Challenge[] = [];
  let ticketKey = saved?.ticketKey ?? newTicketKey();
  let revision = Math.max((saved?.revision ?? 0) + 1, nowMs());

  function newTicketKey(): string {
    return randomBytes(TICKET_KEY_BYTES).toString("base64");
  }

  async function publish(): Promise<void> {
    if (!settings) return;
    const next = { ...settings, revision, challenges, fallback, ticketKey };
    revision += 1;
    // Saved as well before it counts as in force: a worker that starts just now reads the file.
    await Promise.all([push(next), save(next)]);
  }

  const stop = every(TICKET_KEY_MS, () => {
    ticketKey = newTicketKey();
    void publish();
  });
  void publish();

  return {
    put(next) {
      settings = next;
      return publish();
    },
    challenge(next) {
      challenges = next;
      return publish();
    },
    stop,
  };
}

function settingsOf({ certificates, port, redirect, secureHosts, hstsSeconds }: WorkerHttps): HttpsSettings {
  return { certificates, port, redirect, secureHosts, hstsSeconds };
}
