import type { AgentClient } from "@mainstay/agent";
import type { Services, TaskRow } from "../../core/services/index.ts";
import type { AgentLink } from "./agent-link.ts";
import { readOutput } from "./task-output.ts";

export interface TaskEndingDependencies {
  services: Services;
  link: AgentLink;
  agent: Pick<AgentClient, "logs">;
}

/** Ends those that still run, because their change is undone; what they have done stays done. */
export async function stopTasks(dependencies: TaskEndingDependencies, rows: TaskRow[]): Promise<void> {
  for (const row of rows) {
    if (row.finished_at !== null) continue;
    const output = await readOutput(dependencies, row);
    const reason = "the change was undone while it ran";
    await dependencies.services.tasks.finish(row, { state: "stopped", exitCode: null, reason, output });
  }
  await dependencies.link.sync();
}

/** Whether a process of theirs is still there: one that was told to end may need a while. */
export function remain(link: Pick<AgentLink, "observed">, rows: readonly { id: string }[]): boolean {
  const seen = link.observed()?.instances ?? [];
  return rows.some(({ id }) => seen.some((each) => each.id === id));
}
