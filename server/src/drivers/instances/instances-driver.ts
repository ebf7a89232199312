import { AppError, type ObservedInstance } from "@mainstay/api";
import {
  findingOf,
  type ChangeView,
  type Driver,
  type Finding,
  type Observation,
  type Step,
} from "../../core/changes/index.ts";
import { partOf, type Part, type ReleaseRow, type Services } from "../../core/services/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { AgentLink } from "./agent-link.ts";
import { batchOf, isRolling, planBatches } from "./rolling.ts";

/** Health answers in a row before an instance gets its first request. */
const GATE_PASSES = 3;
/** So many crashes and the release is not worth another try. */
const CRASHES_MAX = 3;
/** How long a candidate in traffic may be without a single ready instance. */
const UNREADY_LIMIT_MS = 10_000;

export interface InstancesDriverDependencies {
  services: Services;
  link: AgentLink;
  clock: Clock;
}

/** Starts, gates and stops the instances of releases. */
export function createInstancesDriver({ services, link, clock }: InstancesDriverDependencies): Driver {
  const unreadySince = new Map<string, number>();

  function plan(change: ChangeView): Step[] {
    if (isRolling(change)) return planBatches(change);
    const start: Step = {
      driver: "instances",
      act: "start",
      title: `start the instances of ${change.candidate}`,
      state: "starting",
      stage: null,
      undoneIn: "draining-candidate",
    };
    if (change.stable === null) return [start];
    const title = `drain and stop the instances of ${change.stable}`;
    return [
      start,
      { driver: "instances", act: "retire", title, state: "draining", stage: null, undoneIn: null },
    ];
  }

  async function check(change: ChangeView): Promise<Finding[]> {
    const release = await services.release(change.candidate);
    const findings: Finding[] = [];
    await collect(findings, () => services.verifyRelease(release));
    await collect(findings, () => services.secretsOf(release));
    await collect(findings, () => link.sync());
    return findings;
  }

  async function apply(change: ChangeView, step: Step): Promise<void> {
    if (step.act === "retire" && change.stable) await services.stopInstances(change.stable);
    if (step.act === "start-batch") await startBatch(change);
    if (step.act === "shrink") await shrinkStable(change, batchOf(change, change.position.stage)?.stable);
    if (step.act === "restore" && change.stable)
      await services.startInstances(await services.release(change.stable));
    if (step.act === "start") {
      const release = await services.release(change.candidate);
      await services.verifyRelease(release);
      await services.startInstances(release);
    }
    await link.sync();
  }

  /** The batch of the stage that comes next; the digest is checked before the first. */
  async function startBatch(change: ChangeView): Promise<void> {
    const batch = batchOf(change, change.position.stage + 1);
    const release = await services.release(change.candidate);
    if (change.position.stage < 0) await services.verifyRelease(release);
    await shrinkStable(change, batch?.room);
    await services.startInstances(release, batch?.candidate);
  }

  async function shrinkStable(change: ChangeView, part: Part | undefined): Promise<void> {
    if (change.stable && part) await services.shrinkInstances(await services.release(change.stable), part);
  }

  async function undo(change: ChangeView, step: Step): Promise<void> {
    if (step.act === "start" || step.act === "start-batch") await services.stopInstances(change.candidate);
    await link.sync();
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const observed = link.observed();
    if (!observed || !link.isCurrent()) return { waitingFor: "the agent", failure: null };
    const of = (release: string | null) => observed.instances.filter((each) => each.release === release);
    const candidates = of(change.candidate);
    const wanted = await wantedOf(change);
    switch (change.position.pausedFrom ?? change.position.name) {
      case "starting":
        return {
          waitingFor: missing(candidates, wanted.candidate, { isDone: hasProcess, what: "its process" }),
          failure: crash(candidates),
        };
      case "gating":
        return {
          waitingFor: missing(candidates, wanted.candidate, GATE),
          failure: crash(candidates),
        };
      case "stepping":
      case "verifying":
      case "baking":
        return {
          waitingFor: wanted.stable === null ? null : surplus(of(change.stable), wanted.stable),
          failure: crash(candidates) ?? unready(change.id, candidates),
        };
      case "restoring-instances":
        return { waitingFor: missing(of(change.stable), wanted.stable, GATE), failure: null };
      case "draining":
        return { waitingFor: leftovers(of(change.stable)), failure: null };
      case "draining-candidate":
        return { waitingFor: leftovers(candidates), failure: null };
      default:
        return { waitingFor: null, failure: null };
    }
  }

  /** How many instances there ought to be of each release by now; null: as many as there are. */
  async function wantedOf(change: ChangeView): Promise<{ candidate: number | null; stable: number | null }> {
    const { name, stage } = change.position;
    if (!isRolling(change) || change.stable === null) return { candidate: null, stable: null };
    const batch = batchOf(change, name === "starting" || name === "gating" ? stage + 1 : stage);
    const [candidate, stable] = await Promise.all([
      services.release(change.candidate),
      services.release(change.stable),
    ]);
    if (name === "restoring-instances") return { candidate: null, stable: countOf(stable, ALL) };
    if (!batch) return { candidate: null, stable: null };
    return { candidate: countOf(candidate, batch.candidate), stable: countOf(stable, batch.stable) };
  }

  function unready(changeId: string, candidates: ObservedInstance[]): string | null {
    const isServing = candidates.some((each) => each.state === "ready");
    if (isServing) {
      unreadySince.delete(changeId);
      return null;
    }
    const nowMs = clock.monotonicMs();
    const sinceMs = unreadySince.get(changeId) ?? nowMs;
    unreadySince.set(changeId, sinceMs);
    if (nowMs - sinceMs < UNREADY_LIMIT_MS) return null;
    const why = candidates.find((each) => each.lastProbeError)?.lastProbeError ?? "its processes are down";
    return `no instance of the candidate has been healthy for ${UNREADY_LIMIT_MS / 1000} s: ${why}`;
  }

  return { name: "instances", plan, check, apply, undo, observe, onNews: link.onNews };
}

const ALL: Part = { count: 1, of: 1 };

function countOf({ snapshot }: ReleaseRow, part: Part): number {
  return Object.values(snapshot.processes).reduce((total, each) => total + partOf(each.instances, part), 0);
}

/** What an instance has to manage. */
interface Hurdle {
  isDone(instance: ObservedInstance): boolean;
  what: string;
}

const GATE: Hurdle = { isDone: hasPassedGate, what: "its health gate" };

function hasProcess(instance: ObservedInstance): boolean {
  return instance.pid !== null;
}

function hasPassedGate(instance: ObservedInstance): boolean {
  return instance.state === "ready" && instance.passes >= GATE_PASSES;
}

function missing(
  instances: ObservedInstance[],
  wanted: number | null,
  { isDone, what }: Hurdle,
): string | null {
  if (instances.length < (wanted ?? 1)) return "the agent to start the instances";
  const open = instances.find((each) => !isDone(each));
  if (!open) return null;
  return `${open.process} ${open.id}: ${what}${open.lastProbeError ? ` (${open.lastProbeError})` : ""}`;
}

function surplus(instances: ObservedInstance[], wanted: number): string | null {
  const count = instances.length - wanted;
  return count > 0 ? `${count} instances to drain and stop` : null;
}

function leftovers(instances: ObservedInstance[]): string | null {
  return instances.length === 0 ? null : `${instances.length} instances to drain and stop`;
}

function crash(instances: ObservedInstance[]): string | null {
  const broken = instances.find((each) => each.crashes >= CRASHES_MAX);
  if (!broken) return null;
  const exit = broken.lastExit;
  const how = exit?.signal ? `signal ${exit.signal}` : `exit code ${exit?.code ?? "unknown"}`;
  return `${broken.process} ${broken.id} crashed ${broken.crashes} times (${how})`;
}

async function collect(findings: Finding[], check: () => Promise<unknown>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    findings.push(findingOf(error));
  }
}
