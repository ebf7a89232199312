import { AppError, isTask, type ObservedInstance } from "@mainstay/api";
import {
  findingOf,
  type ChangeView,
  type Driver,
  type Finding,
  type Observation,
  type Step,
} from "../../core/changes/index.ts";
import { singletonsOf, type InstanceRow, type ReleaseRow, type Services } from "../../core/services/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { AgentLink } from "./agent-link.ts";
import { crash, hasPassedGate, missing } from "./instance-findings.ts";
import { batchOf, isRolling, planBatches } from "./rolling.ts";

/** How long a candidate in traffic may be without a single ready instance. */
const UNREADY_LIMIT_MS = 10_000;
const NOTHING: Observation = { waitingFor: null, failure: null };

export interface InstancesDriverDependencies {
  services: Services;
  link: AgentLink;
  clock: Clock;
}

/** Starts, gates, hands over and stops the instances of releases. */
export function createInstancesDriver({ services, link, clock }: InstancesDriverDependencies): Driver {
  const { roster } = services;
  const unreadySince = new Map<string, number>();

  function plan(change: ChangeView): Step[] {
    const { candidate, stable } = change;
    const step = (about: Pick<Step, "act" | "title" | "state" | "undoneIn">): Step => ({
      driver: "instances",
      stage: null,
      ...about,
    });
    const undoneIn = "draining-candidate";
    const start = step({
      act: "start",
      title: `start the instances of ${candidate}`,
      state: "starting",
      undoneIn,
    });
    const handOver = stable
      ? `hand singletons over from ${stable} to ${candidate}`
      : `start the singletons of ${candidate}`;
    const cutOver = step({ act: "hand-over", title: handOver, state: "baking", undoneIn });
    const begin = isRolling(change) ? planBatches(change) : [start];
    if (stable === null) return [...begin, cutOver];
    const title = `drain and stop the instances of ${stable}`;
    return [...begin, cutOver, step({ act: "retire", title, state: "draining", undoneIn: null })];
  }

  async function check(change: ChangeView): Promise<Finding[]> {
    const release = await services.release(change.candidate);
    const findings: Finding[] = [];
    await collect(findings, () => services.verifyRelease(release));
    await collect(findings, () => services.secretsOf(release));
    await collect(findings, () => services.provideImages(release));
    await collect(findings, () => link.sync());
    return findings;
  }

  async function armsOf(change: ChangeView) {
    const [candidate, stable] = await Promise.all([
      services.release(change.candidate),
      change.stable === null ? null : services.release(change.stable),
    ]);
    return { candidate, stable };
  }

  async function apply(change: ChangeView, step: Step): Promise<void> {
    const { candidate, stable } = await armsOf(change);
    if (step.act === "start-batch") await startBatch(change, { candidate, stable });
    if (step.act === "shrink" && stable) {
      const batch = batchOf(change, change.position.stage);
      if (batch) await roster.shrink(stable, candidate, batch.stable);
    }
    if (step.act === "restore" && stable) await roster.start(stable, candidate);
    if (step.act === "start") {
      await services.verifyRelease(candidate);
      await roster.start(candidate, stable);
    }
    if (step.act === "hand-over") await roster.handOver(stable, candidate);
    if (step.act === "retire") await roster.complete(candidate, change.stable);
    await link.sync();
  }

  /** The batch of the stage that comes next; the digest is checked before the first. */
  async function startBatch(
    change: ChangeView,
    { candidate, stable }: { candidate: ReleaseRow; stable: ReleaseRow | null },
  ): Promise<void> {
    const batch = batchOf(change, change.position.stage + 1);
    if (!batch) return;
    if (change.position.stage < 0) await services.verifyRelease(candidate);
    if (stable) await roster.shrink(stable, candidate, batch.room);
    await roster.start(candidate, stable, batch.candidate);
  }

  async function undo(change: ChangeView, step: Step): Promise<void> {
    if (step.act === "hand-over") {
      const { candidate, stable } = await armsOf(change);
      await roster.handOver(candidate, stable);
    }
    if (step.act === "start" || step.act === "start-batch") await roster.stop(change.candidate);
    await link.sync();
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const observed = link.observed();
    if (!observed || !link.isCurrent()) return { waitingFor: "the agent", failure: null };
    const of = (release: string | null) =>
      observed.instances.filter((each) => each.release === release && !isTask(each.process));
    const candidates = of(change.candidate);
    const failure = crash(candidates);
    switch (change.position.pausedFrom ?? change.position.name) {
      case "starting":
        return { waitingFor: missing(await roster.of(change.candidate), candidates, isRunning), failure };
      case "gating":
        return { waitingFor: missing(await roster.of(change.candidate), candidates, GATE), failure };
      case "stepping":
      case "verifying":
        return {
          waitingFor: isRolling(change) ? await surplus(change.stable, of(change.stable)) : null,
          failure: failure ?? unready(change.id, candidates),
        };
      case "baking":
        return {
          waitingFor: await missingSingleton(change.candidate, candidates),
          failure: failure ?? unready(change.id, candidates),
        };
      case "restoring-instances":
        return { waitingFor: await missingOf(change.stable, of(change.stable)), failure: null };
      case "draining":
        return { waitingFor: leftovers(of(change.stable)), failure: null };
      case "draining-candidate":
        return {
          waitingFor: leftovers(candidates) ?? (await missingSingleton(change.stable, of(change.stable))),
          failure: null,
        };
      default:
        return NOTHING;
    }
  }

  /** A singleton starts late: when the one of the other release is gone. */
  async function missingSingleton(
    releaseId: string | null,
    seen: ObservedInstance[],
  ): Promise<string | null> {
    if (releaseId === null) return null;
    const names = singletonsOf(await services.release(releaseId));
    if (names.length === 0) return null;
    const wanted = (await roster.of(releaseId)).filter((each: InstanceRow) => names.includes(each.process));
    return missing(wanted, seen, isRunning);
  }

  async function missingOf(releaseId: string | null, seen: ObservedInstance[]): Promise<string | null> {
    return releaseId === null ? null : missing(await roster.of(releaseId), seen, GATE);
  }

  /** Instances that a batch has replaced, and that are still there. */
  async function surplus(releaseId: string | null, seen: ObservedInstance[]): Promise<string | null> {
    if (releaseId === null) return null;
    const wanted = new Set((await roster.of(releaseId)).map((each) => each.id));
    return leftovers(seen.filter((each) => !wanted.has(each.id)));
  }

  function unready(changeId: string, candidates: ObservedInstance[]): string | null {
    const isServing = candidates.length === 0 || candidates.some((each) => each.state === "ready");
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

const isRunning = { isDone: (each: ObservedInstance) => each.pid !== null, what: "its process" };
const GATE = { isDone: hasPassedGate, what: "its health gate" };

/**
 * An instance that has no more than answers under way, WebSockets above all, is not waited for: it is out of
 * traffic, the agent ends it when its time is over, and the next change need not wait so long.
 */
function leftovers(instances: ObservedInstance[]): string | null {
  const left = instances.filter((each) => !hasOnlyStreams(each));
  return left.length === 0 ? null : `${left.length} instances to drain and stop`;
}

function hasOnlyStreams({ state, inflight, streams }: ObservedInstance): boolean {
  return state === "draining" && streams > 0 && streams === inflight;
}

async function collect(findings: Finding[], check: () => Promise<unknown>): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    findings.push(findingOf(error));
  }
}
