import type { ChangeView, Driver, Observation, Step } from "../../core/changes/index.ts";
import type { Services } from "../../core/services/index.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import type { AgentLink } from "../instances/index.ts";
import { hostOf, targetsOf } from "./targets.ts";
import { verify, type Verification } from "./verify.ts";

export interface VerificationDependencies {
  services: Pick<Services, "release">;
  link: Pick<AgentLink, "observed">;
  clock: Clock;
  log: Log;
}

/** One verification under way, or what it came to. */
interface Run {
  result: Verification | null;
  ended: AbortController;
}

/** Asks a candidate's endpoints before it is trusted. Nothing is kept: a server that returns asks again. */
export function createVerificationDriver(dependencies: VerificationDependencies): Driver {
  const { services, link, clock, log } = dependencies;
  const runs = new Map<string, Run>();
  const listeners = new Set<() => void>();

  function plan(change: ChangeView): Step[] {
    if (!change.plan.verify) return [];
    const title = `ask the endpoints of verify of every instance of ${change.candidate}`;
    return [
      { driver: "verification", act: "verify", title, state: "verifying", stage: null, undoneIn: null },
    ];
  }

  /** Begins anew; it goes on beside the change's turns, which keep the lock alive meanwhile. */
  async function apply(change: ChangeView): Promise<void> {
    forget(change.id);
    const run: Run = { result: null, ended: new AbortController() };
    runs.set(change.id, run);
    void keepResult(change, run);
  }

  async function keepResult(change: ChangeView, run: Run): Promise<void> {
    run.result = await look(change, run).catch((error: unknown) => {
      if (!run.ended.signal.aborted) log.error({ error, change: change.id }, "a verification broke off");
      return { failure: "the verification broke off; the server's log says why", note: "" };
    });
    for (const listener of listeners) listener();
  }

  async function look(change: ChangeView, { ended }: Run): Promise<Verification> {
    const release = await services.release(change.candidate);
    const targets = targetsOf(change.candidate, link.observed()?.instances ?? []);
    if (targets.length === 0)
      return { failure: "no instance of the candidate is ready to be asked", note: "" };
    const endpoints = release.snapshot.verify;
    return verify({
      clock,
      endpoints,
      targets,
      host: hostOf(release),
      mark: change.id,
      signal: ended.signal,
    });
  }

  async function observe(change: ChangeView): Promise<Observation> {
    if (change.position.name !== "verifying") {
      forget(change.id);
      return { waitingFor: null, failure: null };
    }
    const result = runs.get(change.id)?.result;
    if (!result) return { waitingFor: "the answers of the endpoints", failure: null };
    return { waitingFor: null, failure: result.failure, note: result.note };
  }

  function forget(id: string): void {
    runs.get(id)?.ended.abort();
    runs.delete(id);
  }

  return {
    name: "verification",
    plan,
    check: async () => [],
    apply,
    undo: async () => {},
    observe,
    onNews(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
