export { createAgentLink } from "./agent-link.ts";
export type { AgentLink } from "./agent-link.ts";
export { instanceMetrics } from "./instance-metrics.ts";
export { createInstancesDriver } from "./instances-driver.ts";
export { createJournalAuditor } from "./journal.ts";
