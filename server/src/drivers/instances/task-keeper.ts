import type { AgentClient } from "@mainstay/agent";
import type { Services } from "../../core/services/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { createWake } from "../../kernel/wake.ts";
import type { AgentLink } from "./agent-link.ts";
import { endOf, isOver } from "./task-end.ts";
import { readOutput } from "./task-output.ts";

/** When nothing is heard of the agent. */
const LOOK_MS = 2000;

export interface TaskKeeperDependencies {
  services: Services;
  link: AgentLink;
  agent: Pick<AgentClient, "logs">;
  clock: Clock;
  log: Log;
}

/** Writes down how commands ended that run once, with their output, and takes them off the agent's hands. */
export function createTaskKeeper(dependencies: TaskKeeperDependencies): LongRunning {
  const { services, link, clock, log } = dependencies;
  const stopping = new AbortController();
  const wake = createWake(clock);
  let keeping: Promise<void> = Promise.resolve();
  let endListening = (): void => {};

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      await look().catch((error: unknown) => log.error({ error }, "a command's end could not be kept"));
      await wake.sleep(LOOK_MS, stopping.signal);
    }
  }

  async function look(): Promise<void> {
    const seen = new Map((link.observed()?.instances ?? []).map((each) => [each.id, each]));
    if (![...seen.values()].some(isOver)) return;
    for (const row of await services.tasks.running()) {
      const observed = seen.get(row.id);
      if (!observed || !isOver(observed)) continue;
      const output = await readOutput(dependencies, row);
      const { attempt, timeout_ms: timeoutMs } = row;
      const end = endOf(observed, { attempt, timeoutMs: Number(timeoutMs) });
      await services.tasks.finish(row, { ...end, output });
      await link.sync();
    }
  }

  return {
    name: "tasks",
    async start() {
      endListening = link.onNews(() => wake.ring());
      keeping = keep();
    },
    async stop() {
      endListening();
      stopping.abort();
      wake.ring();
      await keeping;
    },
  };
}
