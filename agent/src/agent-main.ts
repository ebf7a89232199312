import { startAgent } from "./supervisor/agent.ts";
import type { AgentOptions } from "./supervisor/agent-options.ts";
import { runChild } from "./system/child-process.ts";
import { endIfCompiling } from "./system/compile-ahead.ts";
import { createLog } from "./system/log.ts";

/** Entry of the agent proper; started by the parent with its options as one JSON argument. */
endIfCompiling();
const log = createLog("agent", (line) => process.stderr.write(line), process.stderr.isTTY);
const agent = await startAgent(JSON.parse(process.argv[2] ?? "{}") as AgentOptions, log);
runChild({
  stop: agent.stop,
  commands: { "stop-instances": agent.stopInstances, "kill-instances": agent.killInstances },
});
