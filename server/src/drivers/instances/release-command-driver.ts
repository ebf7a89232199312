import type { AgentClient } from "@mainstay/agent";
import type { ChangeView, Driver, Observation, Step } from "../../core/changes/index.ts";
import type { Services } from "../../core/services/index.ts";
import type { AgentLink } from "./agent-link.ts";
import { remain, stopTasks } from "./task-ending.ts";

export interface ReleaseCommandDriverDependencies {
  services: Services;
  link: AgentLink;
  agent: Pick<AgentClient, "logs">;
}

/** Runs a release's command (its migrations) once, before the release has an instance or any traffic. */
export function createReleaseCommandDriver(dependencies: ReleaseCommandDriverDependencies): Driver {
  const { services, link } = dependencies;
  const { tasks } = services;

  function plan(change: ChangeView): Step[] {
    if (change.plan.skips.includes("migrating")) return [];
    const title = `run the release command of ${change.candidate}`;
    return [
      {
        ...{ driver: "release-command", act: "run", title },
        ...{ state: "migrating", stage: null, undoneIn: "draining-candidate" },
      },
    ];
  }

  async function apply(change: ChangeView): Promise<void> {
    const release = await services.release(change.candidate);
    await services.verifyRelease(release);
    await tasks.startReleaseCommand(change.id, release);
    await link.sync();
  }

  /** Ends the command if it still runs; what it has done stays done. */
  async function undo(change: ChangeView): Promise<void> {
    await stopTasks(dependencies, await tasks.ofChange(change.id, "release"));
  }

  async function observe(change: ChangeView): Promise<Observation> {
    const { name } = change.position;
    if (name !== "migrating" && name !== "draining-candidate") return { waitingFor: null, failure: null };
    const attempts = await tasks.ofChange(change.id, "release");
    if (name === "draining-candidate") {
      const waitingFor = remain(link, attempts) ? "the release command to be ended" : null;
      return { waitingFor, failure: null };
    }
    const last = attempts.at(-1);
    if (!last || last.state === "running") return { waitingFor: "the release command to end", failure: null };
    const failure = last.state === "succeeded" ? null : `the release command failed: ${last.reason}`;
    return { waitingFor: null, failure };
  }

  return { name: "release-command", plan, check: async () => [], apply, undo, observe, onNews: link.onNews };
}
