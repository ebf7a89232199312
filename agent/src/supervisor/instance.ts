import type { AgentEvent, InstanceSpec, ObservedInstance } from "@mainstay/api";
import { backOffMs } from "../system/back-off.ts";
import type { Log } from "../system/log.ts";
import { judgeProbe, UNKNOWN_HEALTH, type Health } from "./health.ts";
import { watchHealth, type HealthWatch } from "./health-watch.ts";
import { createOnce } from "./once.ts";
import type { Ports } from "./ports.ts";
import { isLife, type Exit, type Life, type LifeFacts, type Order, type Way } from "./way.ts";
import type { Ways } from "./ways.ts";

const RESTART_BACK_OFF = { firstMs: 500, limitMs: 30_000 };
/** What a shell answers for a command it cannot start. */
const CANNOT_START = 127;
/** An instance that lived this long starts its back-off anew when it crashes. */
const SETTLED_MS = 60_000;

/** What must be known of an instance to take it up again after this agent was killed. */
export interface InstanceFacts extends LifeFacts {
  port: number | null;
  startedAt: string;
  crashes: number;
  isReady: boolean;
}

export interface InstanceContext {
  /** Names this agent in the environment of its processes, so that no other agent's are taken for its own. */
  agentId: string;
  ports: Ports;
  /** Variables every process gets before its own. */
  baseEnvironment: Record<string, string>;
  ways: Ways;
  log: Log;
  /** Something observable changed; with the event that tells it, if it is worth one. */
  onChange(instance: Instance, event?: AgentEvent["type"], data?: Record<string, unknown>): void;
}

export interface Instance {
  readonly id: string;
  spec(): InstanceSpec;
  observe(): Omit<ObservedInstance, "inflight" | "streams" | "memoryBytes" | "cpuSeconds">;
  facts(): InstanceFacts | null;
  /** Running and not on its way out. */
  isRunning(): boolean;
  /** When a command that runs once has ended; null for what is started again. */
  readonly over: Promise<void> | null;
  /** Whether it was ever started; until then it holds nothing up. */
  hasBegun(): boolean;
  /** A changed specification counts for probes now, and for the process with its next start. */
  update(spec: InstanceSpec): void;
  start(): Promise<void>;
  /** Takes up the process an earlier agent started; false when it is gone. */
  adopt(facts: InstanceFacts): boolean;
  /** No traffic any more; `resume` takes it back while nothing was stopped. */
  beginDraining(): void;
  resume(): void;
  /** Ends the process and everything it started. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

type Cause = NonNullable<ObservedInstance["lastExit"]>["cause"];

interface Running {
  life: Life;
  way: Way;
  port: number | null;
  startedAtMs: number;
  watch: HealthWatch;
}

type Phase = "running" | "draining" | "stopping" | "exited";

/**
 * One desired instance: starts its process, probes it, starts it again when it crashes, ends it when told to.
 */
export function createInstance(initial: InstanceSpec, context: InstanceContext): Instance {
  let spec = initial;
  let phase: Phase = "running";
  let hasBegun = false;
  let running: Running | null = null;
  let health: Health = UNKNOWN_HEALTH;
  let crashes = 0;
  let crashesInARow = 0;
  let lastExit: ObservedInstance["lastExit"] = null;
  let restart: NodeJS.Timeout | null = null;
  let timeout: NodeJS.Timeout | null = null;
  let cause: Cause;
  let starting: Promise<void> | null = null;
  let clearing: Promise<void> = Promise.resolve();
  const ending = Promise.withResolvers<void>();

  async function startNow(): Promise<void> {
    restart = null;
    hasBegun = true;
    const way = context.ways.of(spec);
    const wasBegun = spec.once !== undefined && !createOnce(spec.logDirectory).begin();
    const port = spec.port === "auto" ? context.ports.take() : spec.port;
    health = UNKNOWN_HEALTH;
    try {
      if (spec.port !== null && port === null) throw new Error("every port of the range is in use");
      const order = orderOf(spec, port, context);
      const life = wasBegun ? await way.findOnce(order) : await way.launch(order);
      if (!isLife(life)) return over(life);
      live(life, { way, port, startedAtMs: Date.now() });
      context.onChange(instance, "instance.started", { pid: life.pid, port });
    } catch (error) {
      if (port !== null) context.ports.giveBack(port);
      health = {
        ...UNKNOWN_HEALTH,
        lastError: `cannot start: ${error instanceof Error ? error.message : String(error)}`,
      };
      if (spec.once) return over({ code: CANNOT_START, signal: null });
      crashed({ code: null, signal: null }, 0);
      scheduleRestart();
    }
  }

  function live(life: Life, about: Pick<Running, "way" | "port" | "startedAtMs">): void {
    const { port, startedAtMs } = about;
    const watch = watchHealth({
      spec: () => spec,
      port,
      ageMs: () => Date.now() - startedAtMs,
      proof: life.proof,
      onProbe,
    });
    const begun: Running = { life, ...about, watch };
    running = begun;
    if (spec.once) timeout = setTimeout(giveUp, Math.max(0, startedAtMs + spec.once.timeoutMs - Date.now()));
    void life.exited.then((exit) => ended(begun, exit));
  }

  function onProbe(error: string | null, readyAfterPasses: number): void {
    const before = health.state;
    health = judgeProbe(health, error, readyAfterPasses);
    if (health.state === before) return;
    context.onChange(instance, health.state === "ready" ? "instance.ready" : "instance.unready", { error });
  }

  /** The time of a command that runs once is over. */
  function giveUp(): void {
    if (!running) return;
    cause = "timeout";
    running.life.end(spec.stopTimeoutMs).catch((error: unknown) => {
      context.log.error({ instance: spec.id, error: String(error) }, "a command could not be ended");
    });
  }

  /** A command that runs once has ended, here or while no agent was there to see it. */
  function over(exit: Exit): void {
    if (timeout) clearTimeout(timeout);
    const code = exit.code ?? createOnce(spec.logDirectory).exitCode();
    if (code === null && exit.signal === null) cause ??= "lost";
    phase = "exited";
    ending.resolve();
    told({ ...exit, code });
  }

  function told({ code, signal }: Exit): void {
    const limitBytes = cause === "memory" ? spec.resources?.memoryBytes : null;
    const why = { ...(cause ? { cause } : {}), ...(limitBytes ? { limitBytes } : {}) };
    lastExit = { code, signal, at: new Date().toISOString(), ...why };
    context.onChange(instance, "instance.exited", { ...lastExit, crashes });
  }

  async function ended(past: Running, exit: Exit): Promise<void> {
    past.watch.stop();
    if (running !== past) return;
    running = null;
    if (phase === "stopping") {
      lastExit = { code: exit.code, signal: exit.signal, at: new Date().toISOString() };
      return;
    }
    cause ??= exit.cause;
    if (!spec.once) crashed(exit, Date.now() - past.startedAtMs);
    // The next process carries the same marks: it must not be there before the last one's remains are gone.
    clearing = past.life.kill().catch((error: unknown) => {
      context.log.error(
        { instance: spec.id, error: String(error) },
        "what a crash left behind could not be ended",
      );
    });
    await clearing;
    if (past.port !== null) context.ports.giveBack(past.port);
    if (!spec.once) return scheduleRestart();
    over(exit);
  }

  function crashed(exit: Exit, livedMs: number): void {
    health = { ...UNKNOWN_HEALTH, lastError: health.lastError };
    crashes += 1;
    crashesInARow = livedMs >= SETTLED_MS ? 1 : crashesInARow + 1;
    told(exit);
    cause = undefined;
  }

  function scheduleRestart(): void {
    if (phase !== "running") return;
    restart = setTimeout(() => void instance.start(), backOffMs(crashesInARow, RESTART_BACK_OFF));
  }

  async function end(act: (life: Life) => Promise<void>): Promise<void> {
    phase = "stopping";
    if (restart) clearTimeout(restart);
    if (timeout) clearTimeout(timeout);
    await starting;
    await clearing;
    const last = running;
    if (last) {
      last.watch.stop();
      context.onChange(instance);
      await act(last.life);
      await last.life.exited;
      if (last.port !== null) context.ports.giveBack(last.port);
    }
    running = null;
    phase = "exited";
    ending.resolve();
    context.onChange(instance, "instance.exited", { ...lastExit, crashes });
  }

  function state(): ObservedInstance["state"] {
    if (phase !== "running") return phase;
    return running || starting || !hasBegun ? health.state : "backing-off";
  }

  const instance: Instance = {
    id: initial.id,
    over: initial.once ? ending.promise : null,
    spec: () => spec,
    observe: () => ({
      id: spec.id,
      service: spec.service,
      environment: spec.environment,
      process: spec.process,
      release: spec.release,
      state: state(),
      pid: running?.life.pid ?? null,
      port: running?.port ?? null,
      startedAt: running ? new Date(running.startedAtMs).toISOString() : null,
      crashes,
      passes: health.passes,
      lastExit,
      lastProbeError: health.lastError,
    }),
    facts() {
      if (!running) return null;
      const { life, way, port, startedAtMs } = running;
      const { pid, startTicks, handle } = life;
      const startedAt = new Date(startedAtMs).toISOString();
      return {
        ...{ id: spec.id, by: way.name, pid, startTicks, handle, port, startedAt, crashes },
        isReady: health.state === "ready",
      };
    },
    hasBegun: () => hasBegun,
    isRunning: () => running !== null && phase === "running",
    update: (next) => void (spec = next),
    start() {
      starting ??= startNow().finally(() => (starting = null));
      return starting;
    },
    adopt(facts) {
      const way = context.ways.named(facts.by ?? context.ways.of(spec).name);
      const life = way.adopt(orderOf(spec, facts.port, context), facts);
      crashes = facts.crashes;
      if (!life) return false;
      if (facts.port !== null) context.ports.keep(facts.port);
      health = { ...UNKNOWN_HEALTH, state: facts.isReady ? "ready" : "starting" };
      hasBegun = true;
      live(life, { way, port: facts.port, startedAtMs: Date.parse(facts.startedAt) });
      return true;
    },
    beginDraining() {
      phase = "draining";
      if (restart) clearTimeout(restart);
      context.onChange(instance);
    },
    resume() {
      phase = "running";
      if (!running && hasBegun) void clearing.then(instance.start);
      context.onChange(instance);
    },
    stop: () => end((life) => life.end(spec.stopTimeoutMs)),
    kill: () => end((life) => life.kill()),
  };
  return instance;
}

function orderOf(spec: InstanceSpec, port: number | null, context: InstanceContext): Order {
  const { id, service, command, directory, logDirectory, container = null, resources = null } = spec;
  return {
    ...{ id, service, command, directory, logDirectory, container, resources, port },
    environment: environmentOf(spec, port, context),
    once: spec.once !== undefined,
    input: spec.once?.input ?? null,
  };
}

/** The only variables a process gets: those of its specification, and what tells it who and where it is. */
function environmentOf(
  spec: InstanceSpec,
  port: number | null,
  context: InstanceContext,
): Record<string, string> {
  // A container has a system of its own, and its engine knows which agent's it is.
  const isContained = spec.container !== undefined;
  const inside = spec.container?.port ?? port;
  return {
    ...(isContained ? {} : context.baseEnvironment),
    ...spec.env,
    ...(port === null ? {} : { PORT: String(inside) }),
    MAINSTAY_SERVICE: spec.service,
    MAINSTAY_ENVIRONMENT: spec.environment,
    MAINSTAY_RELEASE: spec.release,
    MAINSTAY_INSTANCE: spec.id,
    ...(isContained ? {} : { MAINSTAY_AGENT: context.agentId }),
  };
}
