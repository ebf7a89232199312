export { createAgentLink } from "./agent-link.ts";
export type { AgentLink } from "./agent-link.ts";
export { createInstancesDriver } from "./instances-driver.ts";
