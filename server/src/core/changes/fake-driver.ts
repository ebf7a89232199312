import type { Arm } from "@mainstay/api";
import type {
  ArmTally,
  Block,
  Check,
  ChangeView,
  Driver,
  Finding,
  Observation,
  Signal,
  Step,
} from "./ports.ts";

/** A driver whose world is a few variables: for tests of whatever runs on changes. */
export function createFakeDriver() {
  const listeners = new Set<() => void>();
  const world = {
    /** What was done, in order: "apply start", "undo weigh", … */
    acts: [] as string[],
    findings: [] as Finding[],
    /** Asked beside the driver. */
    checks: [] as Check[],
    /** Positions whose effects never take hold. */
    stuckIn: new Set<string>(),
    failure: null as string | null,
    /** Thrown by whoever prepares a change. */
    refusal: null as Error | null,
    /** Thrown by the next apply of this act, once. */
    failOnce: new Map<string, Error>(),
  };
  const step = (act: string, state: Step["state"], undoneIn: Step["undoneIn"] = null): Step => ({
    driver: "fake",
    act,
    title: act,
    state,
    stage: null,
    undoneIn,
  });

  async function apply(_change: ChangeView, { act }: Step): Promise<void> {
    const error = world.failOnce.get(act);
    world.failOnce.delete(act);
    if (error) throw error;
    world.acts.push(`apply ${act}`);
  }

  const driver: Driver = {
    name: "fake",
    plan: () => [
      step("start", "starting", "draining-candidate"),
      step("weigh", "stepping", "restoring-weights"),
      step("settle", "draining"),
    ],
    check: async () => world.findings,
    apply,
    undo: async (_change, { act }) => void world.acts.push(`undo ${act}`),
    async observe(change): Promise<Observation> {
      const isStuck = world.stuckIn.has(change.position.name);
      return { waitingFor: isStuck ? "the world" : null, failure: world.failure };
    },
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { driver, world, ring: () => listeners.forEach((listener) => listener()) };
}

/** A signal that answers the blocks it was given. */
export function createFakeSignal() {
  const blocks: Record<string, Block[]> = { errors: [], probes: [], counts: [] };
  const signal: Signal = {
    counts: async ({ metric, sinceMs }) => (blocks[metric.name] ?? []).filter((each) => each.atMs > sinceMs),
    onNews: () => () => {},
  };
  return {
    signal,
    /** One second in which every group of each arm had so many requests, of which so many failed. */
    add: (atMs: number, arms: Second) => void blocks["errors"]?.push(blockOf(atMs, arms)),
    /** The same for what gates count. */
    addCounts: (atMs: number, arms: Second) => void blocks["counts"]?.push(blockOf(atMs, arms)),
    /** The same for the platform's own probes. */
    addProbes: (atMs: number, arms: Second) => void blocks["probes"]?.push(blockOf(atMs, arms)),
  };
}

type Second = Record<Arm, [total: number, bad: number]>;

function blockOf(atMs: number, { stable, candidate }: Second): Block {
  return { fromMs: atMs - 1000, atMs, stable: evenly(stable), candidate: evenly(candidate) };
}

function evenly([total, bad]: [number, number]): ArmTally {
  const spread = (value: number) => Array.from({ length: 20 }, () => value);
  return { total: spread(total), bad: spread(bad) };
}
