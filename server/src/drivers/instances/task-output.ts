import type { AgentClient } from "@mainstay/agent";
import { AppError } from "@mainstay/api";
import type { Services, TaskRow } from "../../core/services/index.ts";

/** Of what a command wrote so many lines are kept, and so many characters of them; the last ones. */
const LINES_KEPT = 2000;
const CHARACTERS_KEPT = 256 * 1024;

/** What a command has written so far, without the values of secrets; what is cut off is said. */
export async function readOutput(
  { services, agent }: { services: Services; agent: Pick<AgentClient, "logs"> },
  { id, release }: TaskRow,
): Promise<string> {
  return readLines(agent, id, await services.createRedactor(release));
}

/** As `readOutput`, of whatever the agent runs. */
export async function readLines(
  agent: Pick<AgentClient, "logs">,
  id: string,
  redact: (text: string) => string,
): Promise<string> {
  const lines: string[] = [];
  try {
    for await (const line of agent.logs(id, { tail: LINES_KEPT, follow: false })) lines.push(redact(line));
  } catch (error) {
    // Never started, or the agent is away: the end of a command matters more than its last words.
    if (!(error instanceof AppError)) throw error;
  }
  const text = lines.join("\n");
  const cut = text.length - CHARACTERS_KEPT;
  return cut <= 0 ? text : `(${cut} earlier characters are not kept)\n${text.slice(cut)}`;
}
