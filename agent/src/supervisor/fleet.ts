import type { AgentEvent, InstanceSpec, ObservedInstance } from "@mainstay/api";
import type { Log } from "../system/log.ts";
import { listProcesses, readEnvironment } from "../system/process-table.ts";
import { createInstance, type Instance, type InstanceContext, type InstanceFacts } from "./instance.ts";
import { endTree } from "./process-tree.ts";
import type { Routable } from "./routing.ts";

/** What is left of instances nobody wants any more is asked to stop, and killed after this time. */
const STRAY_TIMEOUT_MS = 5000;

export interface Fleet {
  /** Takes up what an earlier agent left running, ends what is not wanted any more, starts what is missing. */
  recover(specs: InstanceSpec[], facts: InstanceFacts[]): void;
  /** Makes the instances those desired: new ones start, the others begin to drain and are returned. */
  apply(specs: InstanceSpec[]): Instance[];
  /** Ends a draining instance, unless it is wanted again after all. */
  retire(instance: Instance, drained: Promise<unknown>): Promise<void>;
  get(id: string): Instance | undefined;
  list(): Instance[];
  draining(): string[];
  routable(): Map<string, Routable>;
  facts(): InstanceFacts[];
  stopAll(): Promise<void>;
  killAll(): Promise<void>;
}

interface FleetOptions extends Omit<InstanceContext, "onChange"> {
  onChange: () => void;
  onEvent: (type: AgentEvent["type"], subject: string, data: Record<string, unknown>) => void;
  log: Log;
}

/** All instances of this machine. */
export function createFleet({ onChange, onEvent, log, ...base }: FleetOptions): Fleet {
  const instances = new Map<string, Instance>();
  let wanted: ReadonlySet<string> = new Set();
  const context: InstanceContext = {
    ...base,
    onChange(instance, event, data = {}) {
      onChange();
      if (!event) return;
      onEvent(event, instance.id, data);
      log.info({ instance: instance.id, event, ...data }, "an instance changed");
    },
  };

  function add(spec: InstanceSpec): Instance {
    const instance = createInstance(spec, context);
    instances.set(spec.id, instance);
    return instance;
  }

  /** Processes that carry our marks, though no facts were saved of them: the agent was killed in between. */
  function findMarked(known: InstanceFacts[]): InstanceFacts[] {
    const knownPids = new Set(known.map((each) => each.pid));
    return listProcesses().flatMap((each) => {
      if (each.session !== each.pid || each.state === "Z" || knownPids.has(each.pid)) return [];
      const environment = readEnvironment(each.pid);
      const id = environment.get("MAINSTAY_INSTANCE");
      if (id === undefined || environment.get("MAINSTAY_AGENT") !== base.agentId) return [];
      const port = environment.get("PORT");
      const startedAt = new Date().toISOString();
      const { pid, startTicks } = each;
      return [{ id, pid, startTicks, port: port ? Number(port) : null, startedAt, crashes: 0, isReady: false }];
    });
  }

  function endStray(facts: InstanceFacts): void {
    const marks = { MAINSTAY_INSTANCE: facts.id, MAINSTAY_AGENT: base.agentId };
    log.warn({ instance: facts.id, pid: facts.pid }, "a process that is not wanted any more is ended");
    endTree({ ...facts, marks }, STRAY_TIMEOUT_MS).catch((error: unknown) => {
      log.error({ instance: facts.id, error: String(error) }, "a process could not be ended");
    });
  }

  function isIn(instance: Instance, ...states: ObservedInstance["state"][]): boolean {
    return states.includes(instance.observe().state);
  }

  return {
    recover(specs, facts) {
      wanted = new Set(specs.map((spec) => spec.id));
      for (const spec of specs) add(spec);
      const adopted = new Set<string>();
      for (const each of [...facts, ...findMarked(facts)]) {
        const instance = adopted.has(each.id) ? undefined : instances.get(each.id);
        if (!instance) endStray(each);
        else if (instance.adopt(each)) adopted.add(each.id);
      }
      for (const instance of instances.values()) if (!adopted.has(instance.id)) void instance.start();
      log.info({ adopted: adopted.size, started: instances.size - adopted.size }, "instances are taken up");
    },
    apply(specs) {
      wanted = new Set(specs.map((spec) => spec.id));
      for (const each of instances.values()) if (isIn(each, "exited")) instances.delete(each.id);
      for (const spec of specs) {
        const known = instances.get(spec.id);
        known?.update(spec);
        if (!known) void add(spec).start();
        else if (isIn(known, "draining")) known.resume();
      }
      const leaving = [...instances.values()].filter((each) => {
        return !wanted.has(each.id) && !isIn(each, "draining", "stopping");
      });
      for (const each of leaving) each.beginDraining();
      return leaving;
    },
    async retire(instance, drained) {
      await drained;
      if (!isIn(instance, "draining")) return;
      await instance.stop();
      if (wanted.has(instance.id)) void add(instance.spec()).start();
    },
    get: (id) => instances.get(id),
    list: () => [...instances.values()],
    draining: () =>
      [...instances.values()].filter((each) => isIn(each, "draining", "stopping")).map((each) => each.id),
    routable: () =>
      new Map(
        [...instances].map(([id, instance]) => {
          const { port, state } = instance.observe();
          return [id, { id, port, isRunning: instance.isRunning(), isReady: state === "ready" }];
        }),
      ),
    facts: () => [...instances.values()].flatMap((each) => each.facts() ?? []),
    async stopAll() {
      await Promise.all([...instances.values()].map((each) => each.stop()));
    },
    async killAll() {
      await Promise.all([...instances.values()].map((each) => each.kill()));
    },
  };
}
