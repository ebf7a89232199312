import { AppError, type ObservedInstance } from "@mainstay/api";
import {
  findingOf,
  type ChangeView,
  type Driver,
  type Finding,
  type Observation,
  type Step,
} from "../../core/changes/index.ts";
import type { Services } from "../../core/services/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { AgentLink } from "./agent-link.ts";

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
    if (step.act === "start") {
      const release = await services.release(change.candidate);
      await services.verifyRelease(release);
      await services.startInstances(release);
    }
    await link.sync();
  }

  async function undo(change: ChangeView, step: Step): Promise<void> {
    if (step.act === "start") await services.stopInstances(change.candidate);
    await link.sync();
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const observed = link.observed();
    if (!observed || !link.isCurrent()) return { waitingFor: "the agent", failure: null };
    const of = (release: string | null) => observed.instances.filter((each) => each.release === release);
    const candidates = of(change.candidate);
    switch (change.position.pausedFrom ?? change.position.name) {
      case "starting":
        return {
          waitingFor: missing(candidates, (each) => each.pid !== null, "its process"),
          failure: crash(candidates),
        };
      case "gating":
        return {
          waitingFor: missing(candidates, hasPassedGate, "its health gate"),
          failure: crash(candidates),
        };
      case "stepping":
      case "baking":
        return { waitingFor: null, failure: crash(candidates) ?? unready(change.id, candidates) };
      case "draining":
        return { waitingFor: leftovers(of(change.stable)), failure: null };
      case "draining-candidate":
        return { waitingFor: leftovers(candidates), failure: null };
      default:
        return { waitingFor: null, failure: null };
    }
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

function hasPassedGate(instance: ObservedInstance): boolean {
  return instance.state === "ready" && instance.passes >= GATE_PASSES;
}

function missing(
  instances: ObservedInstance[],
  isDone: (each: ObservedInstance) => boolean,
  what: string,
): string | null {
  if (instances.length === 0) return "the agent to start the instances";
  const open = instances.find((each) => !isDone(each));
  if (!open) return null;
  return `${open.process} ${open.id}: ${what}${open.lastProbeError ? ` (${open.lastProbeError})` : ""}`;
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
