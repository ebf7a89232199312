export { createAgentLink } from "./agent-link.ts";
export type { AgentLink } from "./agent-link.ts";
export { instanceMetrics } from "./instance-metrics.ts";
export { createInstancesDriver } from "./instances-driver.ts";
export { createReleaseCommandDriver } from "./release-command-driver.ts";
export { createScaleDriver } from "./scale-driver.ts";
export { createTaskKeeper } from "./task-keeper.ts";
export { readOutput } from "./task-output.ts";
export { createJournalAuditor } from "./journal.ts";
