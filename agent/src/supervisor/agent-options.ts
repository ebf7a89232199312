import type { PortRange } from "./ports.ts";

/** Options of the agent proper: one JSON argument. */
export interface AgentOptions {
  dataDirectory: string;
  runtimeDirectory: string;
  /** How many proxy workers there are. */
  workers: number;
  ports?: PortRange;
  /** Where the container engine answers; looked for when left out. */
  containerSocket?: string;
}
