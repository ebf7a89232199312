import { createCookieJar } from "./cookie-jar.ts";
import type { LoadLine } from "./load-lines.ts";
import { createPlanner, type Shares } from "./planner.ts";
import { prepare } from "./prepare.ts";
import type { Random } from "./random.ts";
import { createRecorder } from "./recorder.ts";
import type { RequestMix } from "./request-mix.ts";
import { createSchedule } from "./schedule.ts";
import type { Transport } from "./transport.ts";

export interface LoadClock {
  /** Monotonic. */
  nowMs(): number;
  wallClock(): Date;
  /** Runs something later; the function it returns calls that off. */
  after(delayMs: number, run: () => void): () => void;
}

export interface LoadParts {
  options: Shares & { rps: number; durationMs: number | null };
  mix: RequestMix;
  transport: Transport;
  random: Random;
  clock: LoadClock;
  cpuSeconds(): number;
  emit(line: LoadLine): void;
}

export interface Load {
  /** Prepares, sends until the duration is over or `stop`, waits for the last answers, emits the summary. */
  run(): Promise<void>;
  stop(): void;
}

const TICK_MS = 1000;

/** An open loop: requests go out when due, and latency counts from then (no coordinated omission). */
export function createLoad({ options, mix, transport, random, clock, cpuSeconds, emit }: LoadParts): Load {
  const schedule = createSchedule(options);
  const jar = createCookieJar();
  const planNext = createPlanner({ shares: options, mix, jar, random });
  const recorder = createRecorder();
  const quiet = Promise.withResolvers<void>();

  let startMs = 0;
  let sentCount = 0;
  let finishedCount = 0;
  let tickCount = 0;
  let isStopped = false;
  let cancelSend = () => {};
  let cancelTick = () => {};

  const elapsedMs = () => clock.nowMs() - startMs;
  const endWhenQuiet = () => {
    if (isStopped && finishedCount === sentCount) quiet.resolve();
  };

  function sendDue(): void {
    while (sentCount < schedule.countDue(elapsedMs())) sendNext();
    if (sentCount === schedule.total) return stop();
    cancelSend = clock.after(Math.max(0, schedule.dueMs(sentCount) - elapsedMs()), sendDue);
  }

  function sendNext(): void {
    const dueMs = schedule.dueMs(sentCount++);
    const plan = planNext();
    recorder.sent(plan, elapsedMs() - dueMs);
    transport.send(plan.request, (result) => {
      finishedCount += 1;
      if (plan.user !== null && "status" in result) jar.keep(plan.user, result.setCookies);
      recorder.finished(plan, result, { at: clock.wallClock(), latencyMs: elapsedMs() - dueMs });
      endWhenQuiet();
    });
  }

  function tick(): void {
    emit(recorder.takeTick({ at: clock.wallClock(), atMs: elapsedMs() }));
    tickCount += 1;
    cancelTick = clock.after(Math.max(0, (tickCount + 1) * TICK_MS - elapsedMs()), tick);
  }

  function stop(): void {
    isStopped = true;
    cancelSend();
    endWhenQuiet();
  }

  async function run(): Promise<void> {
    await prepare(transport, mix.preparation);
    const startedAt = clock.wallClock();
    emit({ type: "ready", at: startedAt.toISOString(), prepared: mix.preparation.length });
    startMs = clock.nowMs();
    cancelTick = clock.after(TICK_MS, tick);
    if (!isStopped) sendDue();
    await quiet.promise;
    cancelTick();
    emit(recorder.takeTick({ at: clock.wallClock(), atMs: elapsedMs() }));
    emit(
      recorder.summarize({
        startedAt,
        durationMs: elapsedMs(),
        usersWithCookie: jar.size(),
        cpuSeconds: cpuSeconds(),
      }),
    );
    await transport.close();
  }

  return { run, stop };
}
