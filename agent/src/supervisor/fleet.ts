import type { AgentEvent, InstanceSpec, ObservedInstance } from "@mainstay/api";
import { listProcesses, readEnvironment } from "../system/process-table.ts";
import { createInstance, type Instance, type InstanceContext, type InstanceFacts } from "./instance.ts";
import type { Routable } from "./routing.ts";

/** A process that nobody wants any more and whose specification is not known is killed after this time. */
const STRAY_TIMEOUT_MS = 10_000;

export interface Fleet {
  /**
   * Takes up what an earlier agent left running and starts
   * what is missing; returns what is not wanted any more.
   */
  recover(specs: InstanceSpec[], facts: InstanceFacts[]): InstanceFacts[];
  /** Makes the instances those desired: new ones start, the others begin to drain and are returned. */
  apply(specs: InstanceSpec[]): Instance[];
  /** Ends a draining instance, unless it is wanted again after all. */
  retire(instance: Instance, drained: Promise<unknown>): Promise<void>;
  retireStray(facts: InstanceFacts, drained: Promise<unknown>): Promise<void>;
  get(id: string): Instance | undefined;
  /** Whether it is one of the instances, or of those that nobody wants any more and that still are. */
  knows(id: string): boolean;
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
}

/** All instances of this machine. */
export function createFleet({ onChange, onEvent, ...base }: FleetOptions): Fleet {
  const { log, agentId } = base;
  const instances = new Map<string, Instance>();
  const strays = new Map<string, InstanceFacts>();
  /** Singletons that wait until they are alone. */
  const waiting = new Set<Instance>();
  let wanted: ReadonlySet<string> = new Set();
  const context: InstanceContext = {
    ...base,
    onChange(instance, event, data = {}) {
      onChange();
      beginWaiting();
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

  function begin(instance: Instance): void {
    if (!instance.spec().singleton) return void instance.start();
    waiting.add(instance);
    beginWaiting();
  }

  function beginWaiting(): void {
    for (const instance of waiting) {
      if (isIn(instance, "exited")) waiting.delete(instance);
      else if (wanted.has(instance.id) && isAlone(instance)) {
        waiting.delete(instance);
        void instance.start();
      }
    }
  }

  /** No other instance of its kind lives. A stray's kind is not known: it might be one. */
  function isAlone(instance: Instance): boolean {
    const kin = [...instances.values()].filter((each) => {
      return (
        each !== instance && kindOf(each) === kindOf(instance) && each.hasBegun() && !isIn(each, "exited")
      );
    });
    return kin.length === 0 && strays.size === 0;
  }

  /** Processes that carry our marks, though no facts were saved of them: the agent was killed in between. */
  function findMarked(): InstanceFacts[] {
    const oldest = listProcesses().toSorted((one, other) => one.startTicks - other.startTicks);
    return oldest.flatMap(({ pid, session, state, startTicks }) => {
      if (session !== pid || state === "Z") return [];
      const environment = readEnvironment(pid);
      const id = environment.get("MAINSTAY_INSTANCE");
      if (id === undefined || environment.get("MAINSTAY_AGENT") !== agentId) return [];
      const port = Number(environment.get("PORT") ?? NaN);
      const startedAt = new Date().toISOString();
      return [
        {
          id,
          pid,
          startTicks,
          port: Number.isNaN(port) ? null : port,
          startedAt,
          crashes: 0,
          isReady: false,
        },
      ];
    });
  }

  /** It may be wanted again meanwhile: then what runs under its name by now must be spared. */
  function endStray(facts: InstanceFacts): Promise<void> {
    return base.ways.named(facts.by).endLeft(facts, STRAY_TIMEOUT_MS, instances.has(facts.id));
  }

  function isIn(instance: Instance, ...states: ObservedInstance["state"][]): boolean {
    return states.includes(instance.observe().state);
  }

  return {
    recover(specs, facts) {
      wanted = new Set(specs.map((spec) => spec.id));
      for (const spec of specs) add(spec);
      const adopted = new Set<string>();
      const left = new Map<string, InstanceFacts>();
      for (const each of [...facts, ...findMarked()]) {
        if (adopted.has(each.id) || left.has(each.id)) continue;
        if (instances.get(each.id)?.adopt(each)) adopted.add(each.id);
        else if (!instances.has(each.id)) left.set(each.id, each);
      }
      for (const [id, each] of left) strays.set(id, each);
      for (const instance of instances.values()) if (!adopted.has(instance.id)) begin(instance);
      log.info({ adopted: adopted.size, left: left.size, wanted: wanted.size }, "instances are taken up");
      return [...left.values()];
    },
    apply(specs) {
      wanted = new Set(specs.map((spec) => spec.id));
      for (const each of instances.values()) {
        // What ran once stays known for as long as it is asked for: it must not run again.
        const isKept = wanted.has(each.id) && each.spec().once;
        if (isIn(each, "exited") && !isKept) instances.delete(each.id);
      }
      for (const spec of specs) {
        const known = instances.get(spec.id);
        known?.update(spec);
        if (!known) begin(add(spec));
        else if (isIn(known, "draining")) known.resume();
      }
      const leaving = [...instances.values()].filter((each) => {
        return !wanted.has(each.id) && !isIn(each, "draining", "stopping");
      });
      for (const each of leaving) each.beginDraining();
      beginWaiting();
      return leaving;
    },
    async retire(instance, drained) {
      await drained;
      if (!isIn(instance, "draining")) return;
      await instance.stop();
      if (wanted.has(instance.id)) begin(add(instance.spec()));
    },
    async retireStray(facts, drained) {
      await drained;
      await endStray(facts);
      strays.delete(facts.id);
      onChange();
      beginWaiting();
      log.info({ instance: facts.id, pid: facts.pid }, "a process that nobody wanted any more was ended");
    },
    get: (id) => instances.get(id),
    knows: (id) => instances.has(id) || strays.has(id),
    list: () => [...instances.values()],
    draining: () => [
      ...strays.keys(),
      ...[...instances.values()].filter((each) => isIn(each, "draining", "stopping")).map((each) => each.id),
    ],
    routable: () =>
      new Map(
        [...instances].map(([id, instance]) => {
          const { port, state } = instance.observe();
          return [id, { id, port, isRunning: instance.isRunning(), isReady: state === "ready" }];
        }),
      ),
    facts: () => [...instances.values()].flatMap((each) => each.facts() ?? []),
    async stopAll() {
      await Promise.all([
        ...[...strays.values()].map(endStray),
        ...[...instances.values()].map((each) => each.stop()),
      ]);
    },
    async killAll() {
      await Promise.all([
        ...[...strays.values()].map(endStray),
        ...[...instances.values()].map((each) => each.kill()),
      ]);
    },
  };
}

function kindOf(instance: Instance): string {
  const { service, environment, process } = instance.spec();
  return JSON.stringify([environment, service, process]);
}
