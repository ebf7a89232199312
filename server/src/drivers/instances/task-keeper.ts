import type { AgentClient } from "@mainstay/agent";
import { formatDuration, isTask, type ObservedInstance } from "@mainstay/api";
import type { Services, TaskEnd, TaskRow } from "../../core/services/index.ts";
import type { LongRunning } from "../../kernel/actors.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Log } from "../../kernel/log.ts";
import { createWake } from "../../kernel/wake.ts";
import type { AgentLink } from "./agent-link.ts";
import { crashWords, hasGivenUp, hasPassedGate } from "./instance-findings.ts";
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

/** Writes down how commands and rehearsals ended, with their output, and takes them off the agent's hands. */
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
    const nowMs = clock.now().getTime();
    const seen = new Map((link.observed()?.instances ?? []).map((each) => [each.id, each]));
    if (![...seen.values()].some(({ process }) => isTask(process))) return;
    for (const row of await services.tasks.running()) {
      const observed = seen.get(row.id);
      const end = observed && endOfTask(row, observed, nowMs);
      if (!end) continue;
      const output = await readOutput(dependencies, row);
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

type End = Omit<TaskEnd, "output">;

/** How a task ended; null while it goes on. */
function endOfTask(row: TaskRow, observed: ObservedInstance, nowMs: number): End | null {
  if (row.kind === "rehearsal") return endOfRehearsal(row, observed, nowMs);
  const { attempt, timeout_ms: timeoutMs } = row;
  return isOver(observed) ? endOf(observed, { attempt, timeoutMs: Number(timeoutMs) }) : null;
}

/** A process of the stable release has passed its gate, or will not. */
function endOfRehearsal(row: TaskRow, observed: ObservedInstance, nowMs: number): End | null {
  if (hasPassedGate(observed)) return { state: "succeeded", exitCode: null, reason: null };
  const failed = (reason: string): End => ({ state: "failed", exitCode: null, reason });
  if (hasGivenUp(observed)) return failed(`it ${crashWords(observed)}`);
  const deadlineMs = Number(row.timeout_ms);
  if (nowMs - row.created_at.getTime() <= deadlineMs) return null;
  const error = observed.lastProbeError ? `: ${observed.lastProbeError}` : "";
  return failed(`it was not healthy within ${formatDuration(deadlineMs)}${error}`);
}
