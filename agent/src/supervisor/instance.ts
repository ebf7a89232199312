import type { AgentEvent, InstanceSpec, ObservedInstance } from "@mainstay/api";
import { backOffMs } from "../system/back-off.ts";
import type { ControlGroup, ControlGroups } from "../system/control-groups.ts";
import type { Log } from "../system/log.ts";
import { judgeProbe, UNKNOWN_HEALTH, type Health } from "./health.ts";
import { watchHealth, type HealthWatch } from "./health-watch.ts";
import { adopt, launch, type Exit, type RunningProcess } from "./launch.ts";
import { createOnce } from "./once.ts";
import { createPortProof } from "./port-proof.ts";
import type { Ports } from "./ports.ts";
import { endTree, killTree, type Tree } from "./process-tree.ts";

const RESTART_BACK_OFF = { firstMs: 500, limitMs: 30_000 };
/** What a shell answers for a command it cannot start. */
const CANNOT_START = 127;
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
  groups: ControlGroups;
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

interface Life {
  process: RunningProcess;
  tree: Tree;
  group: ControlGroup;
  /** How often the kernel had killed for memory in this group before. */
  memoryKills: number;
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
  let life: Life | null = null;
  let health: Health = UNKNOWN_HEALTH;
  let crashes = 0;
  let crashesInARow = 0;
  let lastExit: ObservedInstance["lastExit"] = null;
  let restart: NodeJS.Timeout | null = null;
  let timeout: NodeJS.Timeout | null = null;
  let group: ControlGroup | null = null;
  let cause: Cause;
  let starting: Promise<void> | null = null;
  let clearing: Promise<void> = Promise.resolve();
  const ending = Promise.withResolvers<void>();

  async function startNow(): Promise<void> {
    restart = null;
    hasBegun = true;
    if (spec.once && !createOnce(spec.logDirectory).begin()) return over({ code: null, signal: null });
    const port = spec.port === "auto" ? context.ports.take() : spec.port;
    health = UNKNOWN_HEALTH;
    try {
      if (spec.port !== null && port === null) throw new Error("every port of the range is in use");
      const environment = environmentOf(spec, port, context);
      group = context.groups.open(spec.id, spec.resources ?? null);
      const { joinFiles } = group;
      const { exitFile } = createOnce(spec.logDirectory);
      const once = spec.once ? { exitFile, input: spec.once.input } : {};
      const running = await launch({ ...spec, environment, joinFiles, ...once });
      live(running, { port, startedAtMs: Date.now(), group });
      context.onChange(instance, "instance.started", { pid: running.pid, port });
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

  function live(running: RunningProcess, about: Pick<Life, "port" | "startedAtMs" | "group">): void {
    const { port, startedAtMs } = about;
    const marks = { MAINSTAY_INSTANCE: spec.id, MAINSTAY_AGENT: context.agentId };
    const tree = { pid: running.pid, startTicks: running.startTicks, marks, group: about.group };
    const watch = watchHealth({
      spec: () => spec,
      port,
      ageMs: () => Date.now() - startedAtMs,
      proof: port === null ? () => null : createPortProof(port, tree),
      onProbe,
    });
    const begun: Life = { process: running, tree, ...about, memoryKills: about.group.memoryKills(), watch };
    life = begun;
    if (spec.once) timeout = setTimeout(giveUp, Math.max(0, startedAtMs + spec.once.timeoutMs - Date.now()));
    void running.exited.then((exit) => ended(begun, exit));
  }

  function onProbe(error: string | null, readyAfterPasses: number): void {
    const before = health.state;
    health = judgeProbe(health, error, readyAfterPasses);
    if (health.state === before) return;
    context.onChange(instance, health.state === "ready" ? "instance.ready" : "instance.unready", { error });
  }

  /** The time of a command that runs once is over. */
  function giveUp(): void {
    if (!life) return;
    cause = "timeout";
    endTree(life.tree, spec.stopTimeoutMs).catch((error: unknown) => {
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

  function told(exit: Exit): void {
    const limitBytes = cause === "memory" ? spec.resources?.memoryBytes : null;
    const why = { ...(cause ? { cause } : {}), ...(limitBytes ? { limitBytes } : {}) };
    lastExit = { ...exit, at: new Date().toISOString(), ...why };
    context.onChange(instance, "instance.exited", { ...lastExit, crashes });
  }

  async function ended(past: Life, exit: Exit): Promise<void> {
    past.watch.stop();
    if (life !== past) return;
    life = null;
    if (past.group.memoryKills() > past.memoryKills) cause = "memory";
    if (phase === "stopping") {
      lastExit = { ...exit, at: new Date().toISOString() };
      return;
    }
    if (!spec.once) crashed(exit, Date.now() - past.startedAtMs);
    // The next process carries the same marks: it must not be there before the last one's remains are gone.
    clearing = killTree(past.tree).catch((error: unknown) => {
      context.log.error(
        { instance: spec.id, error: String(error) },
        "what a crash left behind could not be ended",
      );
    });
    await clearing;
    if (past.port !== null) context.ports.giveBack(past.port);
    if (!spec.once) return scheduleRestart();
    past.group.remove();
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

  async function end(act: (tree: Tree) => Promise<void>): Promise<void> {
    phase = "stopping";
    if (restart) clearTimeout(restart);
    if (timeout) clearTimeout(timeout);
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
    group?.remove();
    phase = "exited";
    ending.resolve();
    context.onChange(instance, "instance.exited", { ...lastExit, crashes });
  }

  function state(): ObservedInstance["state"] {
    if (phase !== "running") return phase;
    return life || starting || !hasBegun ? health.state : "backing-off";
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
    hasBegun: () => hasBegun,
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
      hasBegun = true;
      group = context.groups.open(spec.id, spec.resources ?? null);
      live(running, { port: facts.port, startedAtMs: Date.parse(facts.startedAt), group });
      return true;
    },
    beginDraining() {
      phase = "draining";
      if (restart) clearTimeout(restart);
      context.onChange(instance);
    },
    resume() {
      phase = "running";
      if (!life && hasBegun) void clearing.then(instance.start);
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
