import type { AgentEvent, InstanceSpec, ObservedInstance } from "@mainstay/api";
import { backOffMs } from "../system/back-off.ts";
import type { Log } from "../system/log.ts";
import { judgeProbe, UNKNOWN_HEALTH, type Health } from "./health.ts";
import { watchHealth, type HealthWatch } from "./health-watch.ts";
import { adopt, launch, type Exit, type RunningProcess } from "./launch.ts";
import { createPortProof } from "./port-proof.ts";
import type { Ports } from "./ports.ts";
import { endTree, killTree, type Tree } from "./process-tree.ts";

const RESTART_BACK_OFF = { firstMs: 500, limitMs: 30_000 };
/** An instance that lived this long starts its back-off anew when it crashes. */
const SETTLED_MS = 60_000;

/** What must be known of a process to take it up again after this agent was killed. */
export interface InstanceFacts {
  id: string;
  pid: number;
  startTicks: number;
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
  log: Log;
  /** Something observable changed; with the event that tells it, if it is worth one. */
  onChange(instance: Instance, event?: AgentEvent["type"], data?: Record<string, unknown>): void;
}

export interface Instance {
  readonly id: string;
  spec(): InstanceSpec;
  observe(): Omit<ObservedInstance, "inflight" | "streams" | "memoryBytes" | "cpuSeconds">;
  facts(): InstanceFacts | null;
  tree(): Tree | null;
  /** Running and not on its way out. */
  isRunning(): boolean;
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

interface Life {
  process: RunningProcess;
  tree: Tree;
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
  let life: Life | null = null;
  let health: Health = UNKNOWN_HEALTH;
  let crashes = 0;
  let crashesInARow = 0;
  let lastExit: ObservedInstance["lastExit"] = null;
  let restart: NodeJS.Timeout | null = null;
  let starting: Promise<void> | null = null;
  let clearing: Promise<void> = Promise.resolve();

  async function startNow(): Promise<void> {
    restart = null;
    const port = spec.port === "auto" ? context.ports.take() : spec.port;
    health = UNKNOWN_HEALTH;
    try {
      if (spec.port !== null && port === null) throw new Error("every port of the range is in use");
      const environment = environmentOf(spec, port, context);
      const running = await launch({ ...spec, environment });
      live(running, port, Date.now());
      context.onChange(instance, "instance.started", { pid: running.pid, port });
    } catch (error) {
      if (port !== null) context.ports.giveBack(port);
      health = {
        ...UNKNOWN_HEALTH,
        lastError: `cannot start: ${error instanceof Error ? error.message : String(error)}`,
      };
      crashed({ code: null, signal: null }, 0);
      scheduleRestart();
    }
  }

  function live(running: RunningProcess, port: number | null, startedAtMs: number): void {
    const marks = { MAINSTAY_INSTANCE: spec.id, MAINSTAY_AGENT: context.agentId };
    const tree = { pid: running.pid, startTicks: running.startTicks, marks };
    const watch = watchHealth({
      spec: () => spec,
      port,
      ageMs: () => Date.now() - startedAtMs,
      proof: port === null ? () => null : createPortProof(port, tree),
      onProbe,
    });
    const begun: Life = { process: running, tree, port, startedAtMs, watch };
    life = begun;
    void running.exited.then((exit) => ended(begun, exit));
  }

  function onProbe(error: string | null, readyAfterPasses: number): void {
    const before = health.state;
    health = judgeProbe(health, error, readyAfterPasses);
    if (health.state === before) return;
    context.onChange(instance, health.state === "ready" ? "instance.ready" : "instance.unready", { error });
  }

  async function ended(past: Life, exit: Exit): Promise<void> {
    past.watch.stop();
    if (life !== past) return;
    life = null;
    if (phase === "stopping") {
      lastExit = { ...exit, at: new Date().toISOString() };
      return;
    }
    crashed(exit, Date.now() - past.startedAtMs);
    // The next process carries the same marks: it must not be there before the last one's remains are gone.
    clearing = killTree(past.tree).catch((error: unknown) => {
      context.log.error(
        { instance: spec.id, error: String(error) },
        "what a crash left behind could not be ended",
      );
    });
    await clearing;
    if (past.port !== null) context.ports.giveBack(past.port);
    scheduleRestart();
  }

  function crashed(exit: Exit, livedMs: number): void {
    lastExit = { ...exit, at: new Date().toISOString() };
    health = { ...UNKNOWN_HEALTH, lastError: health.lastError };
    crashes += 1;
    crashesInARow = livedMs >= SETTLED_MS ? 1 : crashesInARow + 1;
    context.onChange(instance, "instance.exited", { ...exit, crashes });
  }

  function scheduleRestart(): void {
    if (phase !== "running") return;
    restart = setTimeout(() => void instance.start(), backOffMs(crashesInARow, RESTART_BACK_OFF));
  }

  async function end(act: (tree: Tree) => Promise<void>): Promise<void> {
    phase = "stopping";
    if (restart) clearTimeout(restart);
    await starting;
    await clearing;
    const last = life;
    if (last) {
      last.watch.stop();
      context.onChange(instance);
      await act(last.tree);
      await last.process.exited;
      if (last.port !== null) context.ports.giveBack(last.port);
    }
    life = null;
    phase = "exited";
    context.onChange(instance, "instance.exited", { ...lastExit, crashes });
  }

  function state(): ObservedInstance["state"] {
    if (phase !== "running") return phase;
    return life || starting ? health.state : "backing-off";
  }

  const instance: Instance = {
    id: initial.id,
    spec: () => spec,
    observe: () => ({
      id: spec.id,
      service: spec.service,
      environment: spec.environment,
      process: spec.process,
      release: spec.release,
      state: state(),
      pid: life?.process.pid ?? null,
      port: life?.port ?? null,
      startedAt: life ? new Date(life.startedAtMs).toISOString() : null,
      crashes,
      passes: health.passes,
      lastExit,
      lastProbeError: health.lastError,
    }),
    facts() {
      if (!life) return null;
      const { process, port, startedAtMs } = life;
      const { pid, startTicks } = process;
      const startedAt = new Date(startedAtMs).toISOString();
      return { id: spec.id, pid, startTicks, port, startedAt, crashes, isReady: health.state === "ready" };
    },
    tree: () => life?.tree ?? null,
    isRunning: () => life !== null && phase === "running",
    update: (next) => void (spec = next),
    start() {
      starting ??= startNow().finally(() => (starting = null));
      return starting;
    },
    adopt(facts) {
      const running = adopt(facts.pid, facts.startTicks);
      crashes = facts.crashes;
      if (!running) return false;
      if (facts.port !== null) context.ports.keep(facts.port);
      health = { ...UNKNOWN_HEALTH, state: facts.isReady ? "ready" : "starting" };
      live(running, facts.port, Date.parse(facts.startedAt));
      return true;
    },
    beginDraining() {
      phase = "draining";
      if (restart) clearTimeout(restart);
      context.onChange(instance);
    },
    resume() {
      phase = "running";
      if (!life) void clearing.then(instance.start);
      context.onChange(instance);
    },
    stop: () => end((tree) => endTree(tree, spec.stopTimeoutMs)),
    kill: () => end(killTree),
  };
  return instance;
}

/** The only variables a process gets: those of its specification, and what tells it who and where it is. */
function environmentOf(
  spec: InstanceSpec,
  port: number | null,
  context: InstanceContext,
): Record<string, string> {
  return {
    ...context.baseEnvironment,
    ...spec.env,
    ...(port === null ? {} : { PORT: String(port) }),
    MAINSTAY_SERVICE: spec.service,
    MAINSTAY_ENVIRONMENT: spec.environment,
    MAINSTAY_RELEASE: spec.release,
    MAINSTAY_INSTANCE: spec.id,
    MAINSTAY_AGENT: context.agentId,
  };
}
