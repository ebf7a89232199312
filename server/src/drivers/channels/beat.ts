import type { BeatResource, PlatformConfig } from "@mainstay/api";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import { withDeadline } from "../../kernel/deadline.ts";
import type { Log } from "../../kernel/log.ts";
import { callHttp, failureOf } from "./http-call.ts";
import type { ChannelMetrics } from "./metrics.ts";
import { describeTarget, readTarget, type ReadSecret } from "./secret-source.ts";
import { reasonOf } from "../../kernel/reason-of.ts";

export interface BeatDependencies {
  config: PlatformConfig["beat"];
  readSecret: ReadSecret;
  /** Throws with words of what is not well. */
  checkHealth(): Promise<void>;
  clock: Clock;
  log: Log;
  metrics: ChannelMetrics;
}

export interface Beat extends LongRunning {
  show(): BeatResource;
}

const TIMEOUT_MS = 10_000;
/** How soon it is looked again while something is not well. */
const LOOK_MS = 1_000;

type State = Pick<BeatResource, "state" | "lastBeatAt" | "problem">;

/** The outbound dead-man's beat: whoever receives it notices when it stops. */
export function createBeat(dependencies: BeatDependencies): Beat {
  const { config, readSecret, checkHealth, clock, log, metrics } = dependencies;
  const { url, interval, method } = config;
  const stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let now: State = { state: "off", lastBeatAt: null, problem: null };

  function turn(next: Partial<State> & Pick<State, "state">): void {
    const isNews = next.state !== now.state;
    now = { ...now, problem: null, ...next };
    if (!isNews) return;
    if (next.state === "beating") log.info({}, "the beat arrives");
    else log.warn({ state: next.state, reason: now.problem }, "the beat does not arrive");
  }

  /** Answers how long to wait before the next one. */
  async function beatOnce(target: NonNullable<typeof url>): Promise<number> {
    const sick = await withDeadline({ clock, ms: TIMEOUT_MS }, checkHealth()).then(() => null, reasonOf);
    if (sick !== null) {
      metrics.beat("withheld");
      turn({ state: "withheld", problem: sick });
      return Math.min(interval, LOOK_MS);
    }
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const failure = await readTarget(target, readSecret)
      .then((address) => callHttp(address, { method, signal, headers: { "user-agent": "mainstay" } }))
      .then(failureOf, reasonOf);
    metrics.beat(failure === null ? "sent" : "failed");
    if (failure === null) turn({ state: "beating", lastBeatAt: clock.now().toISOString() });
    else turn({ state: "failing", problem: failure });
    return interval;
  }

  async function beatAgainAndAgain(target: NonNullable<typeof url>): Promise<void> {
    while (!stopping.signal.aborted) {
      const beganMs = clock.monotonicMs();
      const pauseMs = await beatOnce(target);
      const restMs = Math.max(0, beganMs + pauseMs - clock.monotonicMs());
      await clock.sleep(restMs, stopping.signal).catch(() => {});
    }
  }

  return {
    name: "beat",
    show: () => ({ target: url === null ? null : describeTarget(url), intervalMs: interval, ...now }),
    start() {
      if (url !== null) running = beatAgainAndAgain(url);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
