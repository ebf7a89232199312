import type { VerifiedEndpoint } from "@mainstay/api";
import type { Clock } from "../../kernel/clock.ts";
import { ask, type Answer } from "./ask.ts";
import type { Target } from "./targets.ts";

/** A single slow answer is no verdict on a release. */
const ATTEMPTS = 3;
const PAUSE_MS = 500;

export interface Verification {
  /** Why the release is not what it should be; null when every endpoint of every instance is well. */
  failure: string | null;
  /** What was measured, in words. */
  note: string;
}

export interface VerifyOptions {
  clock: Clock;
  endpoints: readonly VerifiedEndpoint[];
  targets: readonly Target[];
  host: string | null;
  mark: string;
  signal: AbortSignal;
}

interface Attempt {
  tookMs: number;
  failure: string | null;
}

/** Asks every endpoint of every instance, each up to three times. */
export async function verify(options: VerifyOptions): Promise<Verification> {
  const { endpoints, targets } = options;
  const notes: string[] = [];
  for (const endpoint of endpoints) {
    let slowestMs = 0;
    for (const target of targets) {
      const { tookMs, failure } = await tryEndpoint(options, endpoint, target);
      if (failure) return { failure: `GET ${endpoint.path} of ${target.instance}: ${failure}`, note: "" };
      slowestMs = Math.max(slowestMs, tookMs);
    }
    notes.push(`GET ${endpoint.path} ${endpoint.expect.status} within ${Math.round(slowestMs)} ms`);
  }
  return { failure: null, note: `verified on ${targets.length} instances: ${notes.join(", ")}` };
}

async function tryEndpoint(
  options: VerifyOptions,
  endpoint: VerifiedEndpoint,
  target: Target,
): Promise<Attempt> {
  const { clock, host, mark, signal } = options;
  for (let attempt = 1; ; attempt++) {
    const startedAtMs = clock.monotonicMs();
    const question = { port: target.port, path: endpoint.path, host, mark, timeoutMs: endpoint.expect.maxMs };
    const answer = await ask(question);
    const tookMs = clock.monotonicMs() - startedAtMs;
    const failure = judge(answer, endpoint.expect);
    if (failure === null || attempt === ATTEMPTS) return { tookMs, failure };
    await clock.sleep(PAUSE_MS, signal);
  }
}

function judge(answer: Answer, expected: VerifiedEndpoint["expect"]): string | null {
  if ("error" in answer) return answer.error;
  if (answer.status !== expected.status) return `answered ${answer.status}, expected ${expected.status}`;
  const { bodyContains } = expected;
  if (bodyContains === undefined || answer.body.includes(bodyContains)) return null;
  return `its answer does not hold ${JSON.stringify(bodyContains)}`;
}
