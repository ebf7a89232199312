import type { AgentMetrics } from "@mainstay/api";
import { createHostMetrics } from "./host-metrics.ts";
import { instanceMetrics, type InstanceMetricsRequest } from "./instance-metrics.ts";
import type { MachineFiles } from "./machine-files.ts";

export interface AgentMetricsDependencies {
  files: MachineFiles;
  /** What is to be told right now. */
  look(): Pick<InstanceMetricsRequest, "instances" | "services" | "processes">;
}

/** Figures of the machine and of the instances, read when they are asked for and at no other time. */
export function createAgentMetrics({ files, look }: AgentMetricsDependencies): () => Promise<AgentMetrics> {
  const hostMetrics = createHostMetrics(files);
  return async () => ({ families: [...(await hostMetrics()), ...instanceMetrics({ ...look(), files })] });
}
