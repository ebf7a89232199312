import type { ObservedInstance } from "@mainstay/api";
import type { MetricFamily } from "../../kernel/metrics.ts";

/** What the agent sees of the instances, for /metrics. */
export function instanceMetrics(instances: ObservedInstance[]): MetricFamily[] {
  const samples = (valueOf: (each: ObservedInstance) => number | null) =>
    instances.flatMap((each) => {
      const value = valueOf(each);
      const { service, environment, process, release, id: instance } = each;
      return value === null ? [] : [{ labels: { service, environment, process, release, instance }, value }];
    });
  return [
    {
      name: "mainstay_instance_cpu_seconds_total",
      help: "CPU time an instance has used.",
      type: "counter",
      samples: samples((each) => each.cpuSeconds),
    },
    {
      name: "mainstay_instance_memory_bytes",
      help: "Resident memory of an instance.",
      type: "gauge",
      samples: samples((each) => each.memoryBytes),
    },
    {
      name: "mainstay_instance_restarts_total",
      help: "Times an instance ended without being asked to.",
      type: "counter",
      samples: samples((each) => each.crashes),
    },
  ];
}
